//! The choice of a heatmap as a few small choices: side, vector at the other end, subtracted baseline, split.

use crate::names::{Facet, HeatmapId, HeatmapParts, HeatmapVariant, Side, SplitPart};

/// One of the choices; it has at least two options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Identifier, for `data-testid` and element ids.
    pub name: &'static str,
    /// Label.
    pub label: &'static str,
    /// The options.
    pub options: Vec<Offered>,
}

/// One option of a [`Choice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Label.
    pub label: String,
    /// The heatmap that the option leads to.
    pub heatmap: HeatmapId,
    /// Whether the option is the current one.
    pub is_chosen: bool,
}

/// Identifiers and labels of the choices. Each choice is among the heatmaps that agree with the choices before it.
const CHOICES: [(&str, &str); 7] = [
    ("heatmap-file", "Heatmap"),
    ("heatmap-side", "Side"),
    ("heatmap-variant", "Other end"),
    ("heatmap-minus", "Subtracted"),
    ("heatmap-query", "Query\u{2019}s part"),
    ("heatmap-key", "Key\u{2019}s part"),
    ("heatmap-seed", "Prompts"),
];

/// The properties of a heatmap, one for each choice: a sort key and a label.
type Values = [(u64, String); CHOICES.len()];

fn values(heatmap: &HeatmapId) -> Values {
    let Some(parts) = heatmap.parts() else {
        return std::array::from_fn(|choice| match choice {
            0 => (1, heatmap.to_string()),
            _ => (0, String::new()),
        });
    };
    let HeatmapParts {
        side,
        variant,
        minus_s1,
        seed,
    } = *parts;
    let (query, key) = match variant {
        HeatmapVariant::Facet(Facet { query, key }) => (Some(query), Some(key)),
        _ => (None, None),
    };
    let part = |part: Option<SplitPart>, vector: &str| match part {
        Some(part) => (
            u64::from(part == SplitPart::Perpendicular),
            format!("{} {vector}", part.sign()),
        ),
        None => (0, String::new()),
    };
    [
        (0, "of this program".to_owned()),
        match side {
            Side::Key => (0, "key".to_owned()),
            Side::Query => (1, "query".to_owned()),
        },
        match variant {
            HeatmapVariant::Whole => (0, "as it is".to_owned()),
            HeatmapVariant::FromWu => (1, "query from W_U[IO]".to_owned()),
            HeatmapVariant::FromMlp0 => (2, "key from MLP 0".to_owned()),
            HeatmapVariant::Split => (3, "split".to_owned()),
            HeatmapVariant::Facet(_) => (4, "both ends split".to_owned()),
        },
        if minus_s1 {
            (1, "END\u{2192}S1".to_owned())
        } else {
            (0, "nothing".to_owned())
        },
        part(query, "W_U[IO]"),
        part(key, "MLP 0"),
        seed.map_or((0, "of this run".to_owned()), |seed| {
            (seed.saturating_add(1), format!("of seed {seed}"))
        }),
    ]
}

/// The choices that lead to each of `all`, of which `chosen` is shown.
pub fn choices(all: &[HeatmapId], chosen: &HeatmapId) -> Vec<Choice> {
    let now = values(chosen);
    let mut among: Vec<(&HeatmapId, Values)> = all.iter().map(|heatmap| (heatmap, values(heatmap))).collect();
    let mut choices = Vec::new();
    for (place, (name, label)) in CHOICES.into_iter().enumerate() {
        let mut offered: Vec<(u64, String)> = among.iter().map(|(_, values)| values[place].clone()).collect();
        offered.sort();
        offered.dedup();
        let option = |value: (u64, String)| {
            // Of those that have it, the one that differs least from what is chosen.
            let like_now = |values: &Values| {
                let pairs = values.iter().zip(&now).skip(place + 1);
                pairs.filter(|(one, other)| one == other).count()
            };
            let having = among.iter().filter(|(_, values)| values[place] == value);
            // The last one of several would be taken: the first one is wanted.
            let (heatmap, _) = having.rev().max_by_key(|(_, values)| like_now(values))?;
            Some(Offered {
                heatmap: (*heatmap).clone(),
                is_chosen: value == now[place],
                label: value.1,
            })
        };
        let options: Vec<Offered> = offered.into_iter().filter_map(option).collect();
        if options.len() > 1 {
            choices.push(Choice { name, label, options });
        }
        among.retain(|(_, values)| values[place] == now[place]);
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ResultFile;

    fn recorded() -> Vec<HeatmapId> {
        let bytes = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
        ResultFile::from_json(bytes).expect("the recorded run").heatmap_names()
    }

    fn labels(choice: &Choice) -> Vec<&str> {
        choice.options.iter().map(|option| option.label.as_str()).collect()
    }

    #[test]
    fn twenty_three_heatmaps_are_at_most_five_small_choices() {
        let all = recorded();
        assert_eq!(all.len(), 23);
        for chosen in &all {
            let choices = choices(&all, chosen);
            assert!((2..=5).contains(&choices.len()), "{chosen}: {choices:?}");
            for choice in &choices {
                assert!((2..=4).contains(&choice.options.len()), "{chosen}: {choice:?}");
                let now: Vec<&Offered> = choice.options.iter().filter(|option| option.is_chosen).collect();
                assert!(now.len() == 1 && now[0].heatmap == *chosen, "{chosen}: {choice:?}");
                assert!(choice.options.iter().all(|option| all.contains(&option.heatmap)));
            }
        }
    }

    #[test]
    fn every_heatmap_is_reached_from_every_other() {
        let mut all = recorded();
        all.push("value".into());
        for start in &all {
            let mut reached = vec![start.clone()];
            let mut at = 0;
            while let Some(chosen) = reached.get(at).cloned() {
                for option in choices(&all, &chosen).into_iter().flat_map(|choice| choice.options) {
                    if !reached.contains(&option.heatmap) {
                        reached.push(option.heatmap);
                    }
                }
                at += 1;
            }
            assert_eq!(reached.len(), all.len(), "from {start}");
        }
    }

    #[test]
    fn another_choice_changes_as_little_as_there_is() {
        let all = recorded();
        let choice_for = |chosen: &str, choice: &str| {
            let all = choices(&all, &chosen.into());
            all.into_iter().find(|found| found.name == choice).expect("the choice")
        };
        assert_eq!(labels(&choice_for("key", "heatmap-side")), ["key", "query"]);
        assert_eq!(
            labels(&choice_for("key", "heatmap-variant")),
            ["as it is", "query from W_U[IO]", "both ends split"]
        );
        // The other side has the same facet, and the same subtracted.
        let side = choice_for("key_split_subS1/q perp k par", "heatmap-side");
        assert_eq!(side.options[1].heatmap.to_string(), "query_split_subS1/q perp k par");
        let minus = choice_for("key_subWU", "heatmap-minus");
        assert_eq!(minus.options[1].heatmap.to_string(), "key_subWU_subS1");
        // The query's side has no query from W_U[IO]: whole, still minus the same.
        assert_eq!(
            choice_for("key_subWU_subS1", "heatmap-side").options[1]
                .heatmap
                .to_string(),
            "query_subS1"
        );
    }

    #[test]
    fn one_heatmap_leaves_nothing_to_choose() {
        assert_eq!(choices(&["key".into()], &"key".into()), []);
        assert_eq!(choices(&[], &"key".into()), []);
        // One that the result does not have is chosen: the way to those that it has.
        let choices = choices(&["key".into(), "query".into()], &"value".into());
        assert!(
            choices
                .iter()
                .all(|choice| choice.options.iter().all(|option| !option.is_chosen))
        );
    }
}
