//! What a file of weights is expected to hold. The model says it; nothing here knows a model.

/// Name and shape of a tensor.
pub type TensorSpec = (String, Vec<usize>);

/// The tensors that a file of weights must have, and how their names are read.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Tensors that must be there. The first one's name shows which prefix names have.
    pub tensors: Vec<TensorSpec>,
    /// Tensors that may be there.
    pub optional: Vec<TensorSpec>,
    /// The prefix that names usually have, where they have one; they are read without it.
    pub prefix: &'static str,
    /// Which names (without prefix) are passed over, as if the file did not have them.
    pub ignored: fn(&str) -> bool,
    /// What the tensors are of, for messages: "a GPT-2 model with 12 layers".
    pub of: String,
}

impl Expected {
    /// The prefix of the `names` of a file: what stands before the first expected tensor's name, where exactly one name ends
    /// with that; else the usual one.
    pub(super) fn prefix_of<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let first = self.tensors.first().map_or("", |(name, _)| name.as_str());
        let before = |name: &'n str| {
            let prefix = name.strip_suffix(first)?;
            (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
        };
        let found: Vec<&str> = names.filter_map(before).collect();
        match found[..] {
            [prefix] if !prefix.is_empty() => prefix.to_owned(),
            _ => self.prefix.to_owned(),
        }
    }

    /// `name` without `prefix`. An optional tensor may stand outside: `model.lm_head.weight` beside `model.transformer.`.
    pub(super) fn short<'a>(&self, name: &'a str, prefix: &str) -> &'a str {
        if let Some(short) = name.strip_prefix(prefix) {
            return short;
        }
        let outside = |(optional, _): &TensorSpec| {
            let before = name.strip_suffix(optional.as_str())?;
            let is_around = before.ends_with('.') && prefix.starts_with(before);
            is_around.then(|| &name[before.len()..])
        };
        self.optional.iter().find_map(outside).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        Expected {
            tensors: vec![
                ("wte.weight".to_owned(), vec![2, 2]),
                ("h.0.ln_1.weight".to_owned(), vec![2]),
            ],
            optional: vec![("lm_head.weight".to_owned(), vec![2, 2])],
            prefix: "transformer.",
            ignored: |_| false,
            of: "a model".to_owned(),
        }
    }

    #[test]
    fn any_one_prefix_is_found() {
        let expected = expected();
        for (names, prefix, short) in [
            (
                ["wte.weight", "h.0.ln_1.weight", "lm_head.weight"],
                "transformer.",
                true,
            ),
            (
                [
                    "transformer.wte.weight",
                    "transformer.h.0.ln_1.weight",
                    "lm_head.weight",
                ],
                "transformer.",
                true,
            ),
            (
                ["gpt.wte.weight", "gpt.h.0.ln_1.weight", "gpt.lm_head.weight"],
                "gpt.",
                true,
            ),
            (
                [
                    "m.transformer.wte.weight",
                    "m.transformer.h.0.ln_1.weight",
                    "m.lm_head.weight",
                ],
                "m.transformer.",
                true,
            ),
            (
                ["a.wte.weight", "b.wte.weight", "lm_head.weight"],
                "transformer.",
                false,
            ),
            (
                ["swte.weight", "h.0.ln_1.weight", "lm_head.weight"],
                "transformer.",
                false,
            ),
        ] {
            let found = expected.prefix_of(names.into_iter());
            assert_eq!(found, prefix, "{names:?}");
            let shorts = names.map(|name| expected.short(name, &found));
            assert_eq!(
                shorts == ["wte.weight", "h.0.ln_1.weight", "lm_head.weight"],
                short,
                "{shorts:?}"
            );
        }
    }
}
