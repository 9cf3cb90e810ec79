//! What a weights file has to contain. The `model` module fills this in; `checkpoint` itself knows no architecture.

/// Name and shape of a tensor.
pub type TensorSpec = (String, Vec<usize>);

/// The tensors that a weights file must or may have, and how their names are read.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Required tensors. The name of the first one is used to detect the prefix of the names.
    pub tensors: Vec<TensorSpec>,
    /// Optional tensors.
    pub optional: Vec<TensorSpec>,
    /// The prefix that tensor names usually have in checkpoints of this architecture. Names are handled without it.
    pub prefix: &'static str,
    /// Whether a tensor of this name (without prefix) is ignored, as if the file did not have it.
    pub ignored: fn(&str) -> bool,
    /// What the tensors belong to, for error messages: "a GPT-2 model with 12 layers".
    pub owner: String,
}

impl Expected {
    /// The prefix of the `names` in a file: whatever precedes the name of the first expected tensor, if exactly one
    /// name ends with that name; otherwise the usual prefix.
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

    /// `name` without `prefix`. Optional tensors may have a shorter prefix: `model.lm_head.weight` beside
    /// `model.transformer.`.
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
            owner: "a model".to_owned(),
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
