//! The list of prompts beside the scatter plot: sorting and filtering.

use super::view::{ListView, ScatterView};
use crate::names::{HistogramId, PromptSeries, SeriesId};
use crate::result::ResultFile;

/// Prompts as they are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptList {
    /// Number of prompts that there are.
    pub total: usize,
    /// Those that are listed, by their numbers in the result, in the order of the list.
    pub prompts: Vec<usize>,
}

impl PromptList {
    /// The prompts of `result` as `view` lists them, of which `group` are those of the kind that it asks for, see [`of_group`]. What
    /// `view` asks for and `result` does not have leaves nothing out: a series, or texts. Prompts without a value come last, and are
    /// left out where values are asked for.
    pub fn of(result: &ResultFile, view: &ScatterView, group: Option<&[usize]>) -> Self {
        let list = &view.list;
        let total = result.prompt_count();
        let mut prompts: Vec<usize> = match group {
            Some(group) => group.iter().copied().filter(|prompt| *prompt < total).collect(),
            None => (0..total).collect(),
        };
        let wanted = list.text.trim().to_lowercase();
        if !wanted.is_empty() && !result.prompts.is_empty() {
            let has = |prompt: &usize| {
                let found = result.prompts.get(*prompt);
                found.is_some_and(|prompt| prompt.text.to_lowercase().contains(&wanted))
            };
            prompts.retain(has);
        }
        if let Some(values) = bounded(result, view).and_then(|series| result.values_by_prompt(&series)) {
            let (least, most) = (list.least.unwrap_or(f64::MIN), list.most.unwrap_or(f64::MAX));
            prompts.retain(|prompt| {
                let value = values.get(*prompt).copied().map(f64::from);
                value.is_some_and(|value| (least..=most).contains(&value))
            });
        }
        if let Some(values) = list.sort.as_ref().and_then(|sort| result.values_by_prompt(sort)) {
            let value = |prompt: &usize| values.get(*prompt).copied().filter(|value| value.is_finite());
            prompts.sort_by(|left, right| match (value(left), value(right)) {
                (Some(left), Some(right)) if list.descending => right.total_cmp(&left),
                (Some(left), Some(right)) => left.total_cmp(&right),
                (left, right) => left.is_none().cmp(&right.is_none()),
            });
        } else if list.descending {
            prompts.reverse();
        }
        Self { total, prompts }
    }

    /// "37 of 1,200 prompts".
    pub fn description(&self) -> String {
        let all = crate::quantities::counted(self.total, "prompt", "prompts");
        format!("{} of {all}", crate::quantities::grouped(self.prompts.len()))
    }
}

/// The prompts of the kind that `list` asks for, ascending. None where it asks for none, or `result` has no such kind.
pub fn of_group(result: &ResultFile, list: &ListView) -> Option<Vec<usize>> {
    let (by, number) = list.group?;
    result.split(by).into_iter().nth(number).map(|group| group.prompts)
}

/// The series along both axes, the one below first. None for a result that has no two series.
pub fn axes(result: &ResultFile, view: &ScatterView) -> Option<(PromptSeries, PromptSeries)> {
    let all: Vec<PromptSeries> = result.by_prompt().into_iter().map(|(series, _)| series).collect();
    let there = |series: Option<PromptSeries>| series.filter(|series| all.contains(series));
    let score_series = |series: &SeriesId| there(Some(PromptSeries::new(HistogramId::KeysFixedScores, series.clone())));
    let (claimed, _) = result.claim(HistogramId::KeysFixedScores);
    let x = there(view.x.clone())
        .or_else(|| score_series(claimed))
        .or_else(|| all.first().cloned())?;
    let usual = score_series(&SeriesId::NoPatching).filter(|series| *series != x);
    let other = || all.iter().find(|series| **series != x).cloned();
    let y = there(view.y.clone()).or(usual).or_else(other)?;
    Some((x, y))
}

/// The series whose values prompts are left out by. None where none are.
fn bounded(result: &ResultFile, view: &ScatterView) -> Option<PromptSeries> {
    let list = &view.list;
    let asked = list.least.is_some() || list.most.is_some();
    let there = list
        .bounded_series
        .clone()
        .filter(|series| result.values_by_prompt(series).is_some());
    there.or_else(|| axes(result, view).map(|(x, _)| x)).filter(|_| asked)
}

/// The series that the list has a column of: both axes, and those that it is sorted and filtered by.
pub fn columns(result: &ResultFile, view: &ScatterView) -> Vec<PromptSeries> {
    let axes = axes(result, view).map(|(x, y)| [x, y]);
    let sort = view.list.sort.clone();
    let asked = axes.into_iter().flatten().chain(sort).chain(bounded(result, view));
    let mut columns: Vec<PromptSeries> = Vec::new();
    for series in asked {
        if !columns.contains(&series) && result.values_by_prompt(&series).is_some() {
            columns.push(series);
        }
    }
    columns
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
