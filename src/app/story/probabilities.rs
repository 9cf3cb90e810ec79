//! What the probabilities say: how much of the attention IO gets, and in how many prompts that is most of it.

use super::{BASE, Seen, Told, basis, ends, list, percent};
use crate::app::quantities::{counted, grouped, number};
use crate::names::SeriesId;
use crate::result::Evidence;

impl Told<'_> {
    /// How much attention the main series gives IO, and how much nothing replaced does.
    pub(super) fn attention(&self, visible: &[&Seen<'_>]) -> String {
        let Some(best) = visible.first() else {
            return "All series of this figure are hidden.".into();
        };
        let find = |label: &SeriesId| visible.iter().find(|series| series.label == label);
        let main = find(&self.name.claim().0).filter(|main| main.label != best.label && *best.label == BASE);
        let told = main.unwrap_or(best);
        let other = find(&BASE).filter(|base| base.label != told.label);
        let means = match other {
            Some(base) => format!(
                "After the softmax {} gives IO {} of the attention on average, and {BASE} {}",
                told.label,
                percent(told.mean),
                percent(base.mean)
            ),
            None => format!(
                "After the softmax {} gives IO {} of the attention on average",
                told.label,
                percent(told.mean)
            ),
        };
        for series in [Some(told), other].into_iter().flatten() {
            if let Some(groups) = series.told_groups(percent) {
                return format!("{means}. But {} {groups}.", series.label);
            }
        }
        match self.against(told, other.copied()) {
            Evidence::Found(found) if other.is_some() => {
                let points = number(100.0 * found.mean.abs(), usize::from(found.mean.abs() < 0.01));
                let evidence = basis(&found, true);
                match (found.beats(), found.is_beaten()) {
                    (true, _) => format!("{means}: {points} points more ({evidence})."),
                    (_, true) => format!("{means}: {points} points less ({evidence})."),
                    _ => format!("{means}: no difference beyond chance ({evidence})."),
                }
            }
            Evidence::Found(found) => format!(
                "{means} (95 % interval {} %, {}).",
                ends(&found.interval, 100.0),
                counted(found.n, "prompt", "prompts")
            ),
            Evidence::Pending | Evidence::Impossible => format!("{means}."),
        }
    }

    /// In how many prompts IO gets more than half of the attention, for the series at the top, nothing replaced and the last.
    pub(super) fn prompts_won(&self, visible: &[&Seen<'_>]) -> String {
        let Some(first) = visible.first() else {
            return "A click on a legend entry shows its series.".into();
        };
        let base = visible.iter().find(|series| *series.label == BASE);
        let mut counts: Vec<String> = Vec::new();
        let mut done: Vec<&SeriesId> = Vec::new();
        for series in [Some(first), base, visible.last()].into_iter().flatten() {
            if !done.contains(&series.label) {
                done.push(series.label);
                let won = series.values.iter().filter(|value| **value > 0.5).count();
                counts.push(format!("{} with {}", grouped(won), series.label));
            }
        }
        let prompts = counted(first.values.len(), "prompt", "prompts");
        format!(
            "Of {prompts}, IO gets more than half of the attention in {}.",
            list(&counts)
        )
    }
}
