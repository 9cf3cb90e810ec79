//! Titles and texts of the heatmaps.

use crate::analysis::Heatmap;
use crate::math::sort_descending;
use crate::names::{Component, HeatmapId, HeatmapVariant, Side};
use crate::quantities::{counted, grouped, written};
use crate::result::ResultFile;

/// The keyboard help of a heatmap.
pub(super) const KEYS: &str = "Arrow keys walk from cell to cell; Home and End go to the first and the last of a row. Enter picks a \
    cell: its value, and those for each prompt, stay below. Escape lets go. Plus and minus zoom, Shift and an arrow key move what is shown, 0 shows all.";

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
        HeatmapVariant::Whole => {}
        HeatmapVariant::FromWu => text += " The query is made from W_U[IO] instead of the residual stream at END.",
        HeatmapVariant::FromMlp0 => {
            text += " The key is made from what MLP 0 writes at IO instead of the whole residual stream there.";
        }
        HeatmapVariant::Split | HeatmapVariant::Facet(_) => {
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

/// A description of the cells: means over which prompts, or contributions in the marked prompt.
pub fn cell_explanation(result: &ResultFile, name: &HeatmapId, prompt: Option<usize>) -> String {
    let Some(heatmap) = result.heatmap(name) else {
        return "each cell is a mean over prompts.".to_owned();
    };
    if let (Some(prompt), _) = heatmap.of_prompt_or_mean(prompt) {
        let number = grouped(prompt + 1);
        return format!("each cell is what its component adds in prompt {number}, the one that is marked.");
    }
    if heatmap.note.is_some() {
        return "each cell is a mean; below it is said over which prompts.".to_owned();
    }
    let (known, all) = (result.heatmap_prompts(), result.prompt_count());
    if known < all {
        format!(
            "each cell is a mean over the first {} of the {} prompts.",
            grouped(known),
            grouped(all)
        )
    } else {
        format!("each cell is a mean over {}.", counted(known, "prompt", "prompts"))
    }
}

/// The text in place of a heatmap that the result does not have.
pub fn absent(result: &ResultFile) -> String {
    let left_out = result.left_out_heatmaps();
    if left_out.is_empty() {
        "The contributions are known when the run is complete.".to_owned()
    } else {
        left_out.join(" ")
    }
}

/// A text alternative for the heatmap: the largest contributions, in `prompt` where the result has those.
pub fn summary(result: &ResultFile, heatmap: &Heatmap, prompt: Option<usize>) -> String {
    let (prompt, values) = heatmap.of_prompt_or_mean(prompt);
    let whose = prompt.map_or_else(String::new, |prompt| format!(" in prompt {}", grouped(prompt + 1)));
    let of_layers = heatmap.components.iter().copied().zip(values.iter().copied());
    let of_layers = of_layers.filter(|(component, _)| component.layer().is_some());
    let mut cells: Vec<(Component, f32)> = of_layers.collect();
    sort_descending(&mut cells, |cell| cell.1.abs());
    let limit = cells.first().map_or(0.0, |(_, value)| f64::from(value.abs()));
    let largest: Vec<String> = cells
        .iter()
        .take(6)
        .map(|(name, value)| format!("{name} {}", written(f64::from(*value), 3, limit)))
        .collect();
    format!(
        "Heatmap of contributions to the score of head {}{whose}. Largest: {}.",
        result.head_name(),
        largest.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Array;

    #[test]
    fn a_cell_names_its_own_prompts() {
        let recorded = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
        let mut result = ResultFile::from_json(recorded).expect("the recorded run");
        let explanation =
            |result: &ResultFile, name: &str, prompt| cell_explanation(result, &HeatmapId::from(name), prompt);
        assert_eq!(
            explanation(&result, "key", None),
            "each cell is a mean over the first 40 of the 1,200 prompts."
        );
        assert_eq!(
            explanation(&result, "key", Some(7)),
            explanation(&result, "key", None),
            "it has no cells of prompts"
        );
        for name in ["query", "key_subWU", "key_split/q par k par"] {
            assert!(
                explanation(&result, name, None).contains("said over which prompts"),
                "{name}"
            );
        }
        let section = result.contributions_mut().expect("recorded");
        let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).expect("key");
        let cells = heatmap.components.len();
        heatmap.per_prompt = Some(Array::of_rows(vec![0.5; 40 * cells], cells));
        assert_eq!(
            explanation(&result, "key", Some(7)),
            "each cell is what its component adds in prompt 8, the one that is marked."
        );
        assert!(
            explanation(&result, "key", Some(40)).contains("a mean"),
            "prompts beyond the first batch have no cells"
        );
        assert!(absent(&result).contains("when the run is complete"));
    }

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
        let labels: Vec<String> = NAMES.map(|name| HeatmapId::from(name).words()).into();
        let explanations: Vec<String> = NAMES.map(|name| heatmap_explanation(&name.into())).into();
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
            let text = heatmap_explanation(&name.into());
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
        assert_eq!(
            HeatmapId::from("query_split_subS1/q perp k par").words(),
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
            assert_eq!(HeatmapId::from(name).words(), name);
            assert_eq!(
                heatmap_explanation(&name.into()),
                "Contributions of components of the residual stream to the score.",
                "{name}"
            );
        }
    }
}
