//! What the heatmaps are called, and what they show, in words.

use crate::names::{Facet, HeatmapId, Part, Side, Variant};

/// What a heatmap is called where one is chosen. A name that is not known stands for itself.
pub fn heatmap_label(name: &HeatmapId) -> String {
    let Some(parts) = name.parts() else {
        return name.to_string();
    };
    let mut label = match parts.side {
        Side::Query => "Query side",
        Side::Key => "Key side",
    }
    .to_owned();
    match parts.variant {
        Variant::FromWu => label += ", query from W_U[IO]",
        Variant::FromMlp0 => label += ", key from MLP 0",
        Variant::Whole | Variant::Split | Variant::Facet(_) => {}
    }
    if parts.minus_s1 {
        label += ", minus END\u{2192}S1";
    }
    if let Some(seed) = parts.seed {
        label += &format!(", seed {seed}");
    }
    match parts.variant {
        Variant::Facet(facet) => label += &format!(", {}", facet_label(facet)),
        Variant::Split => label += ", split",
        Variant::Whole | Variant::FromWu | Variant::FromMlp0 => {}
    }
    label
}

/// What a facet of a split heatmap is called: "q \u{2225} W_U\[IO\], k \u{27c2} MLP 0".
pub fn facet_label(facet: Facet) -> String {
    let sign = |part: Part| match part {
        Part::Parallel => '\u{2225}',
        Part::Perpendicular => '\u{27c2}',
    };
    format!("q {} W_U[IO], k {} MLP 0", sign(facet.query), sign(facet.key))
}

/// What a heatmap shows, in a few plain sentences.
pub fn heatmap_explanation(name: &HeatmapId) -> String {
    let Some(parts) = name.parts() else {
        return "Contributions of components of the residual stream to the score.".to_owned();
    };
    let mut text = match parts.side {
        Side::Query => {
            "The score as a sum over everything that was written to the residual stream at END, which makes the query."
        }
        Side::Key => {
            "The score as a sum over everything that was written to the residual stream at IO, which makes the key."
        }
    }
    .to_owned();
    match parts.variant {
        Variant::Whole => {}
        Variant::FromWu => text += " The query is made from W_U[IO] instead of the residual stream at END.",
        Variant::FromMlp0 => {
            text += " The key is made from what MLP 0 writes at IO instead of the whole residual stream there.";
        }
        Variant::Split | Variant::Facet(_) => {
            text += " Query and key are both split: the query's vector into its part along W_U[IO] (\u{2225}) and the rest \
                     (\u{27c2}), the key's into its part along what MLP 0 writes at the same position and the rest. Biases \
                     go with the rest.";
        }
    }
    if parts.minus_s1 {
        text += match parts.side {
            Side::Query => {
                " Subtracted is the same for the score from END to S1: what is left tells IO from the subject."
            }
            Side::Key => {
                " Subtracted is the same at S1: what is left tells IO from the subject, and the key's bias cancels."
            }
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
        let labels: Vec<String> = NAMES.map(|name| heatmap_label(&name.into())).into();
        let explanations: Vec<String> = NAMES.map(|name| heatmap_explanation(&name.into())).into();
        println!("{labels:#?}\n{explanations:#?}");
        for (index, name) in NAMES.iter().enumerate() {
            assert!(
                !labels[index].contains('_') || labels[index].contains("W_U[IO]"),
                "{name}"
            );
            assert!(!labels[..index].contains(&labels[index]), "{name}");
            assert!(!explanations[..index].contains(&explanations[index]), "{name}");
            assert!(explanations[index].ends_with('.'), "{name}");
        }
        assert_eq!(labels[3], "Key side, query from W_U[IO], minus END\u{2192}S1");
    }

    #[test]
    fn facets_are_named() {
        let facet = Facet::new(Part::Parallel, Part::Perpendicular);
        assert_eq!(facet_label(facet), "q \u{2225} W_U[IO], k \u{27c2} MLP 0");
        assert_eq!(
            heatmap_label(&"query_split_subS1/q perp k par".into()),
            "Query side, minus END\u{2192}S1, q \u{27c2} W_U[IO], k \u{2225} MLP 0"
        );
        assert_eq!(
            heatmap_explanation(&"key_split/q par k par".into()),
            heatmap_explanation(&"key_split".into())
        );
    }

    #[test]
    fn other_names_stand_for_themselves() {
        for name in ["", "value", "key_other", "_", "/", "key_split/q par k"] {
            assert_eq!(heatmap_label(&name.into()), name);
            assert!(heatmap_explanation(&name.into()).ends_with('.'));
        }
    }
}
