//! Sentences about probabilities: the attention to IO, and the number of prompts in which it is the majority.

use super::{BASE, HistogramFacts, SeriesFacts, basis, limits, list, percent};
use crate::names::SeriesId;
use crate::quantities::{counted, grouped};
use crate::result::Evidence;

impl HistogramFacts<'_> {
    /// The attention to IO with the main series, and without substitution.
    pub(super) fn attention(&self, visible: &[&SeriesFacts<'_>]) -> String {
        let Some(best) = visible.first() else {
            return "All series of this figure are hidden.".into();
        };
        let find = |label: &SeriesId| visible.iter().find(|series| series.label == label);
        let main = find(self.result.claim(self.name).0).filter(|main| main.label != best.label && *best.label == BASE);
        let description = main.unwrap_or(best);
        let other = find(&BASE).filter(|base| base.label != description.label);
        let means = match other {
            Some(base) => format!(
                "After the softmax {} gives IO {} of the attention on average, and {BASE} {}",
                description.label,
                percent(description.mean),
                percent(base.mean)
            ),
            None => format!(
                "After the softmax {} gives IO {} of the attention on average",
                description.label,
                percent(description.mean)
            ),
        };
        for series in [Some(description), other].into_iter().flatten() {
            if let Some(groups) = series.describe_groups(percent) {
                return format!("{means}. But {} {groups}.", series.label);
            }
        }
        match self.against(description, other.copied()) {
            Evidence::Found(found) if let Some(base) = other => {
                let evidence = basis(&found, description, base, true);
                if found.beats() || found.is_beaten() {
                    format!("{means} ({evidence}).")
                } else {
                    format!("{means}: no difference beyond chance ({evidence}).")
                }
            }
            Evidence::Found(found) => format!(
                "{means} (95 % interval {} %, {}).",
                limits(&found.interval, 100.0),
                counted(found.n, "prompt", "prompts")
            ),
            Evidence::Pending | Evidence::Impossible => format!("{means}."),
        }
    }

    /// The number of prompts in which IO gets more than half of the attention: for the main series and its controls,
    /// without substitution, and for the first and last visible series.
    pub(super) fn prompts_won(&self, visible: &[&SeriesFacts<'_>]) -> String {
        let [first, .., last] = visible else {
            return match visible {
                [only] => format!(
                    "Of {}, IO gets more than half of the attention in {}.",
                    prompts(only),
                    won(only)
                ),
                _ => "A click on a legend entry shows its series.".into(),
            };
        };
        let (main, controls) = self.claim();
        let description = |series: &&SeriesFacts<'_>| {
            let claimed = [Some(*first), Some(*last), self.find(&BASE), main]
                .into_iter()
                .flatten()
                .chain(controls.iter().copied());
            claimed.into_iter().any(|one| one.label == series.label)
        };
        let counts: Vec<String> = self.all.iter().filter(description).map(won).collect();
        format!(
            "Of {}, IO gets more than half of the attention in {}.",
            prompts(first),
            list(&counts)
        )
    }
}

fn prompts(series: &SeriesFacts<'_>) -> String {
    counted(series.values.len(), "prompt", "prompts")
}

/// "935 with No patching".
fn won(series: &SeriesFacts<'_>) -> String {
    let won = series.values.iter().filter(|value| **value > 0.5).count();
    format!("{} with {}", grouped(won), series.label)
}
