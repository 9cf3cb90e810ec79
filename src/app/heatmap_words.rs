//! What the heatmaps are called, and what they show, in words.

/// A heatmap's name in a result file, taken apart: "key_subWU_subS1", "query_split/q par k par".
#[derive(Default)]
struct Parts<'a> {
    /// Decomposed by the query's components, not by the key's.
    query_side: bool,
    /// The query is made from W_U\[IO\].
    sub_w_u: bool,
    /// The key is made from the output of MLP 0.
    sub_mlp_0: bool,
    /// Minus the same for END->S1.
    sub_s1: bool,
    split: bool,
    /// Of prompts of another seed: a recorded one.
    seed: Option<&'a str>,
    /// Which facet of a split one.
    facet: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// None for a name that is none of ours.
    fn of(name: &'a str) -> Option<Self> {
        let (group, facet) = match name.split_once('/') {
            Some((group, facet)) => (group, Some(facet)),
            None => (name, None),
        };
        let mut words = group.split('_');
        let query_side = match words.next()? {
            "key" => false,
            "query" => true,
            _ => return None,
        };
        let mut parts = Self {
            query_side,
            facet,
            ..Self::default()
        };
        for word in words {
            match word {
                "subWU" => parts.sub_w_u = true,
                "subMLP0" => parts.sub_mlp_0 = true,
                "subS1" => parts.sub_s1 = true,
                "split" => parts.split = true,
                _ => parts.seed = Some(word.strip_prefix("seed")?),
            }
        }
        Some(parts)
    }
}

/// What a heatmap is called where one is chosen. A name that is not known stands for itself.
pub fn heatmap_label(name: &str) -> String {
    let Some(parts) = Parts::of(name) else {
        return name.to_owned();
    };
    let mut label = if parts.query_side { "Query side" } else { "Key side" }.to_owned();
    if parts.sub_w_u {
        label += ", query from W_U[IO]";
    }
    if parts.sub_mlp_0 {
        label += ", key from MLP 0";
    }
    if parts.sub_s1 {
        label += ", minus END\u{2192}S1";
    }
    if let Some(seed) = parts.seed {
        label += &format!(", seed {seed}");
    }
    match parts.facet {
        Some(facet) => label += &format!(", {}", facet_label(facet)),
        None if parts.split => label += ", split",
        None => {}
    }
    label
}

/// What a facet of a split heatmap is called: "q par k perp" is "q \u{2225} W_U\[IO\], k \u{27c2} MLP 0".
pub fn facet_label(facet: &str) -> String {
    let sign = |word: &str| match word {
        "par" => Some('\u{2225}'),
        "perp" => Some('\u{27c2}'),
        _ => None,
    };
    let words: Vec<&str> = facet.split(' ').collect();
    if let ["q", query, "k", key] = words[..]
        && let (Some(query), Some(key)) = (sign(query), sign(key))
    {
        return format!("q {query} W_U[IO], k {key} MLP 0");
    }
    facet.to_owned()
}

/// What a heatmap shows, in a few plain sentences.
pub fn heatmap_explanation(name: &str) -> String {
    let Some(parts) = Parts::of(name) else {
        return "Contributions of components of the residual stream to the score.".to_owned();
    };
    let mut text = if parts.query_side {
        "The score as a sum over everything that was written to the residual stream at END, which makes the query."
    } else {
        "The score as a sum over everything that was written to the residual stream at IO, which makes the key."
    }
    .to_owned();
    if parts.sub_w_u {
        text += " The query is made from W_U[IO] instead of the residual stream at END.";
    }
    if parts.sub_mlp_0 {
        text += " The key is made from what MLP 0 writes at IO instead of the whole residual stream there.";
    }
    if parts.split {
        text += " Query and key are both split: the query's vector into its part along W_U[IO] (\u{2225}) and the rest \
                 (\u{27c2}), the key's into its part along what MLP 0 writes at the same position and the rest. Biases \
                 go with the rest.";
    }
    if parts.sub_s1 {
        text += if parts.query_side {
            " Subtracted is the same for the score from END to S1: what is left tells IO from the subject."
        } else {
            " Subtracted is the same at S1: what is left tells IO from the subject, and the key's bias cancels."
        };
    }
    if let Some(seed) = parts.seed {
        text += &format!(" Of the prompts of seed {seed}.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = [
        "key",
        "key_subWU",
        "key_subS1",
        "key_subWU_subS1",
        "key_split",
        "key_split_subS1",
        "query",
        "query_subMLP0",
        "query_subS1",
        "query_split",
        "query_split_subS1",
        "key_seed42",
    ];

    #[test]
    fn every_heatmap_has_words_of_its_own() {
        let labels: Vec<String> = NAMES.map(heatmap_label).into();
        let explanations: Vec<String> = NAMES.map(heatmap_explanation).into();
        println!("{labels:#?}\n{explanations:#?}");
        for (index, name) in NAMES.iter().enumerate() {
            assert!(
                !labels[index].contains('_') || labels[index].contains("W_U[IO]"),
                "{name}"
            );
            assert!(!labels[..index].contains(&labels[index]), "{name}");
            assert!(!explanations[..index].contains(&explanations[index]), "{name}");
        }
        assert_eq!(labels[3], "Key side, query from W_U[IO], minus END\u{2192}S1");
    }

    #[test]
    fn an_explanation_says_what_the_name_says_and_nothing_else() {
        for name in NAMES {
            let parts: Vec<&str> = name.split('_').collect();
            let query_side = parts[0] == "query";
            let has = |part: &str| parts.contains(&part);
            let text = heatmap_explanation(name);
            for (said, words) in [
                (!query_side, "stream at IO, which makes the key."),
                (query_side, "stream at END, which makes the query."),
                (
                    has("subWU"),
                    "The query is made from W_U[IO] instead of the residual stream at END.",
                ),
                (
                    has("subMLP0"),
                    "The key is made from what MLP 0 writes at IO instead of",
                ),
                (has("split"), "Query and key are both split:"),
                (has("subS1") && !query_side, "Subtracted is the same at S1:"),
                (
                    has("subS1") && query_side,
                    "Subtracted is the same for the score from END to S1:",
                ),
                (has("seed42"), "Of the prompts of seed 42."),
            ] {
                assert_eq!(text.contains(words), said, "{name}: {words}\n{text}");
            }
        }
    }

    #[test]
    fn facets_are_named() {
        assert_eq!(facet_label("q par k perp"), "q \u{2225} W_U[IO], k \u{27c2} MLP 0");
        assert_eq!(
            heatmap_label("query_split_subS1/q perp k par"),
            "Query side, minus END\u{2192}S1, q \u{27c2} W_U[IO], k \u{2225} MLP 0"
        );
        assert_eq!(facet_label("q par k"), "q par k");
        assert_eq!(
            heatmap_explanation("key_split/q par k par"),
            heatmap_explanation("key_split")
        );
    }

    #[test]
    fn other_names_stand_for_themselves() {
        for name in ["", "value", "key_other", "_", "/"] {
            assert_eq!(heatmap_label(name), name);
            assert_eq!(
                heatmap_explanation(name),
                "Contributions of components of the residual stream to the score.",
                "{name}"
            );
        }
    }
}
