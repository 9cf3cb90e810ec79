//! Texts about the scatter plot.

use super::list::{PromptList, axes};
use super::view::ScatterView;
use crate::names::PromptSeries;
use crate::quantities::{counted, grouped, number};
use crate::result::{Correlation, PairedDifference, ResultFile};

/// Which keys it knows.
pub(super) const KEYS: &str = "Left and right walk from prompt to prompt by the value along the axis below, up and down by the other \
    one; Home and End go to the least and the greatest. Enter picks a prompt: it is marked in the list and in every figure.";

pub(super) const SECTION: &str = "Prompt by prompt: what goes together?";

pub(super) const HEADING: &str = "Do two series rise and fall together?";

pub(super) const EXPLANATION: &str = "One mark for each prompt, at its values in two series. Where both are of one unit, marks above \
    the line are prompts in which the second series is larger. Pick a mark to find its prompt in the list, or a prompt to find its mark; \
    marks that the list leaves out are faint.";

/// What a series is called where those of all histograms stand beside each other: `W_U[IO] (score, keys fixed)`.
pub fn series_name(series: &PromptSeries) -> String {
    let kind = if series.histogram.probs() {
        "probability"
    } else {
        "score"
    };
    if series.series.is_true_values() {
        return series.series.to_string();
    }
    let fixed = if series.histogram.keys_fixed() {
        "keys"
    } else {
        "queries"
    };
    format!("{} ({kind}, {fixed} fixed)", series.series)
}

/// Decimals of the shown values of a series.
pub fn decimals(series: &PromptSeries) -> usize {
    if series.histogram.probs() { 3 } else { 2 }
}

/// Pairs of finite values with their prompts.
pub(super) fn pairs(result: &ResultFile, x: &PromptSeries, y: &PromptSeries) -> Vec<(usize, (f64, f64))> {
    let values = |series| result.values_by_prompt(series).unwrap_or_default();
    let both = values(x).iter().zip(values(y)).enumerate();
    let pairs = both.map(|(prompt, (x, y))| (prompt, (f64::from(*x), f64::from(*y))));
    pairs.filter(|(_, (x, y))| x.is_finite() && y.is_finite()).collect()
}

/// How both series go together, and, of one unit, by how much one is larger: over the prompts of the text and the kind that are listed,
/// whatever their values, as choosing prompts by a value would make a correlation or hide one. None where no interval leaves 0 out: then
/// it is not known. `group` as of [`PromptList::of`].
pub fn agreement(result: &ResultFile, view: &ScatterView, group: Option<&[usize]>) -> Option<String> {
    let (x, y) = axes(result, view).filter(|(x, y)| x != y)?;
    let mut chosen = view.clone();
    (chosen.list.least, chosen.list.most) = (None, None);
    let listed = listed(result, &chosen, group);
    let pairs: Vec<(f64, f64)> = pairs(result, &x, &y)
        .into_iter()
        .filter_map(|(prompt, pair)| listed.get(prompt)?.then_some(pair))
        .collect();
    let sentences = [together(&pairs, chosen.list.filters()), larger(&pairs, &x, &y)];
    let description: Vec<String> = sentences.into_iter().flatten().collect();
    (!description.is_empty()).then(|| description.join(" "))
}

fn together(pairs: &[(f64, f64)], chosen: bool) -> Option<String> {
    let found = Correlation::of(pairs)?;
    let interval = found.sure()?;
    let how = if found.r > 0.0 {
        "rise and fall together"
    } else {
        "go against each other"
    };
    let which = if chosen {
        "the prompts of this text and kind"
    } else {
        "all prompts"
    };
    Some(format!(
        "Over {which} they {how}: Pearson\u{2019}s r = {} (n = {}, 95 % interval {} to {}).",
        number(found.r, 2),
        grouped(found.n),
        number(interval.low, 2),
        number(interval.high, 2),
    ))
}

/// Which one is larger, prompt by prompt.
fn larger(pairs: &[(f64, f64)], x: &PromptSeries, y: &PromptSeries) -> Option<String> {
    if !x.has_unit_of(y) {
        return None;
    }
    let (xs, ys): (Vec<f32>, Vec<f32>) = pairs.iter().map(|(x, y)| (*x as f32, *y as f32)).unzip();
    let of_y = PairedDifference::of(&ys, &xs)?;
    // Told of the one that is larger.
    let (name, found) = if of_y.mean < 0.0 {
        (x, PairedDifference::of(&xs, &ys)?)
    } else {
        (y, of_y)
    };
    let interval = found.interval.filter(|interval| interval.low > 0.0)?;
    let decimals = decimals(x);
    let size = found.effect_size();
    let size = size.map_or_else(String::new, |size| {
        format!(", {} standard deviations of the differences", number(size, 2))
    });
    Some(format!(
        "{} is larger by {} in the mean (95 % interval {} to {}{size}), in {} of {}.",
        series_name(name),
        number(found.mean, decimals),
        number(interval.low, decimals),
        number(interval.high, decimals),
        grouped(found.larger),
        counted(found.n, "prompt", "prompts"),
    ))
}

/// Whether each prompt is listed.
pub(super) fn listed(result: &ResultFile, view: &ScatterView, group: Option<&[usize]>) -> Vec<bool> {
    let list = PromptList::of(result, view, group);
    let mut listed = vec![false; list.total];
    for prompt in list.prompts {
        if let Some(listed) = listed.get_mut(prompt) {
            *listed = true;
        }
    }
    listed
}

/// What is seen in it, for those who do not see it. `group` as of [`PromptList::of`].
pub fn summary(result: &ResultFile, view: &ScatterView, group: Option<&[usize]>) -> String {
    let Some((x, y)) = axes(result, view) else {
        return "No two series.".to_owned();
    };
    let marks = counted(pairs(result, &x, &y).len(), "prompt", "prompts");
    let description = agreement(result, view, group).map_or_else(String::new, |description| format!(" {description}"));
    format!(
        "Scatter of {marks}, head {}: {} along the axis below, {} along the axis to the left.{description}",
        result.head_name(),
        series_name(&x),
        series_name(&y)
    )
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
