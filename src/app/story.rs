//! Sentences about a figure's data. Every number is computed from the shown result, every conclusion quotes the
//! comparison that supports it, and where a claim of the notebook is not true of the data, the sentence says what is
//! true instead.

use crate::figure::View;
use crate::math::sort_descending;
use crate::names::{HistogramId, SeriesId, Side, SplitBy};
use crate::plot::series_starts_visible;
use crate::quantities::{counted, decimals, grouped, number};
use crate::result::{Compare, Comparison, Evidence, Groups, Interval, Pair, PromptGroup, ResultFile, mean, two_groups};

mod cells;
mod ending;
mod normalization;
mod probabilities;
mod scores;

pub use cells::heatmap;
pub use ending::ending;

/// The series without substitution.
const BASE: SeriesId = SeriesId::NoPatching;

/// Shares of a total are only meaningful if the total is at least this large, relative to the mean absolute value of
/// its parts.
const MIN_TOTAL: f64 = 0.1;

/// Minimum difference between two kinds of prompts, in their shares of the upper group, so that the kind is said to
/// separate the groups.
const MIN_SHARE_DIFFERENCE: f64 = 0.9;

/// One series with its statistics.
#[derive(Debug, Clone, PartialEq)]
struct SeriesFacts<'a> {
    label: &'a SeriesId,
    mean: f64,
    values: &'a [f32],
    /// Two groups that the values fall into, if any: then the mean is typical of neither.
    groups: Option<Groups>,
}

impl SeriesFacts<'_> {
    /// Whether shares of the mean are meaningful: it is positive, not near 0 relative to the values, and not between
    /// two groups.
    fn has_shares(&self) -> bool {
        let size = self.values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / self.values.len() as f64;
        self.groups.is_none() && self.mean > 0.0 && self.mean >= MIN_TOTAL * size
    }

    /// "falls into two groups: 40 prompts around 0 % and 40 around 100 %", with numbers as `format`.
    fn describe_groups(&self, format: fn(f64) -> String) -> Option<String> {
        self.groups
            .map(|groups| format!("falls into two groups: {}", both(&groups, format)))
    }

    /// "W_U\[S\]"; for the series without substitution "the query as it is (No patching)".
    fn with_place(&self, side: Side) -> String {
        if *self.label == BASE {
            format!("the {side} as it is ({BASE})")
        } else {
            self.label.to_string()
        }
    }

    /// "W_U\[S\] (1.20)".
    fn with_mean(&self) -> String {
        format!("{} ({})", self.label, score(self.mean))
    }
}

/// "40 prompts around 0 % and 40 around 100 %".
fn both(groups: &Groups, format: fn(f64) -> String) -> String {
    format!(
        "{} around {} and {} around {}",
        counted(groups.low.n, "prompt", "prompts"),
        format(groups.low.mean),
        grouped(groups.high.n),
        format(groups.high.mean)
    )
}

/// A histogram with its statistics.
struct HistogramFacts<'a> {
    result: &'a ResultFile,
    name: HistogramId,
    /// In descending order of the mean.
    all: Vec<SeriesFacts<'a>>,
    compare: &'a Compare<'a>,
}

impl<'a> HistogramFacts<'a> {
    /// The series of `name` that have values.
    fn of(result: &'a ResultFile, name: HistogramId, compare: &'a Compare<'a>) -> Self {
        let series = result.series(name).into_iter();
        let scores = HistogramId::scores_of(name.side());
        let seen = series.filter_map(|(label, values)| {
            let mean = mean(values).filter(|mean| mean.is_finite())?;
            // The softmax turns any wide distribution into two humps: probabilities count as two groups only if the
            // scores do.
            let has_groups = |values: &[f32]| !name.probs() || two_groups(values).is_some();
            let behind = result.substitution()?.values(scores, label);
            Some(SeriesFacts {
                label,
                mean,
                values,
                groups: two_groups(values).filter(|_| behind.is_none_or(has_groups)),
            })
        });
        let mut all: Vec<SeriesFacts<'a>> = seen.collect();
        sort_descending(&mut all, |one| one.mean);
        Self {
            result,
            name,
            all,
            compare,
        }
    }

    /// The series that are visible.
    fn visible(&self, view: &View) -> Vec<&SeriesFacts<'a>> {
        let toggled = view.histogram(self.name).toggled;
        let shown = |series: &&SeriesFacts<'_>| series_starts_visible(series.label) != toggled.contains(series.label);
        self.all.iter().filter(shown).collect()
    }

    fn find(&self, label: &SeriesId) -> Option<&SeriesFacts<'a>> {
        self.all.iter().find(|series| series.label == label)
    }

    /// The comparison of `first` with `second`, or with 0.
    fn against(&self, first: &SeriesFacts<'_>, second: Option<&SeriesFacts<'_>>) -> Evidence {
        (self.compare)(&Pair {
            histogram: self.name,
            first: first.label.clone(),
            second: second.map(|second| second.label.clone()),
        })
    }

    /// The series of the figure's main claim, and its control series, as far as they exist.
    fn claim(&self) -> (Option<&SeriesFacts<'a>>, Vec<&SeriesFacts<'a>>) {
        let (main, controls) = self.result.claim(self.name);
        (
            self.find(main),
            controls.iter().filter_map(|id| self.find(id)).collect(),
        )
    }
}

fn score(value: f64) -> String {
    number(value, 2)
}

/// A share as a percentage: "68 %"; with a decimal near the ends, so that 99.7 % does not become 100 %.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let near_an_end = percent != percent.round() && (percent.abs() < 1.0 || (percent - 100.0).abs() < 1.0);
    format!("{} %", number(percent, usize::from(near_an_end)))
}

/// The evidence for a positive difference of `first` and `second`: "difference 4.53, 95 % interval 4.44 to 4.63,
/// W_U\[IO\] higher in 1,195 of 1,200 prompts"; for shares "1.7 points, 95 % interval 0.9 to 2.5 points, ...".
fn basis(found: &Comparison, first: &SeriesFacts<'_>, second: &SeriesFacts<'_>, probs: bool) -> String {
    let (found, higher) = if found.mean < 0.0 {
        (found.reversed(), second)
    } else {
        (*found, first)
    };
    let (per_unit, least, points) = if probs { (100.0, 0, " points") } else { (1.0, 2, "") };
    let decimals = decimals(per_unit * (found.interval.high - found.interval.low), least);
    format!(
        "difference {}{points}, 95 % interval {}{points}, {} higher in {} of {}",
        number(per_unit * found.mean, decimals),
        limits(&found.interval, per_unit),
        higher.label,
        grouped(found.wins),
        counted(found.n, "prompt", "prompts")
    )
}

/// "5.91 to 6.30", multiplied by `per_unit`.
fn limits(interval: &Interval, per_unit: f64) -> String {
    let (low, high) = (per_unit * interval.low, per_unit * interval.high);
    let decimals = decimals(high - low, if per_unit == 1.0 { 2 } else { 0 });
    format!("{} to {}", number(low, decimals), number(high, decimals))
}

/// "a", "a and b", "a, b and c".
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Introduces head and prompts, and the attention to be explained. `compare` provides comparisons of series in
/// `result`.
pub fn question(result: &ResultFile, compare: &Compare<'_>) -> String {
    result.with_position_names(question_of_ioi(result, compare))
}

fn question_of_ioi(result: &ResultFile, compare: &Compare<'_>) -> String {
    let probs = HistogramFacts::of(result, HistogramId::KeysFixedProbs, compare);
    let Some(base) = probs.find(&BASE) else {
        return format!(
            "How much of END\u{2019}s attention head {} gives to IO is known when the first batch is done.",
            result.head_name()
        );
    };
    let over = format!(
        "Over {}, head {} gives {} of END\u{2019}s attention to IO on average",
        counted(base.values.len(), "prompt", "prompts"),
        result.head_name(),
        percent(base.mean)
    );
    if let Some(groups) = base.describe_groups(percent) {
        let why = describe_separation(result, base).map_or_else(String::new, |why| format!(" {why}"));
        return format!("{over}, but that is a mean of two kinds of prompts: the share {groups}.{why}");
    }
    let Evidence::Found(found) = probs.against(base, None) else {
        return format!("{over}.");
    };
    let most = base.values.iter().filter(|share| **share > 0.5).count();
    let verdict = match (found.interval.low, found.interval.high) {
        (low, _) if low > 0.5 => {
            let most = if most == base.values.len() {
                "every one".to_owned()
            } else {
                grouped(most)
            };
            format!(
                "On average that is more than all other positions get together, and so it is in {most} of the prompts."
            )
        }
        (_, high) if high < 0.1 => "It hardly looks at IO at all, so that there is little to explain.".to_owned(),
        (low, high) if low >= 0.1 && high <= 0.5 => "IO gets a good part of it, but not most.".to_owned(),
        (_, high) if high > 0.5 => "That is about half.".to_owned(),
        _ => "That is about a tenth.".to_owned(),
    };
    format!("{over} (95 % interval {} %). {verdict}", limits(&found.interval, 100.0))
}

/// A sentence about whether the order of the names separates the groups of `series`.
fn describe_separation(result: &ResultFile, series: &SeriesFacts<'_>) -> Option<String> {
    let split = series.groups?.split;
    let orders = result.split(SplitBy::Order);
    let [first, second] = &orders[..] else {
        return None;
    };
    let above = |group: &PromptGroup| {
        let values = group.prompts.iter().filter_map(|prompt| series.values.get(*prompt));
        let above = values.clone().filter(|value| f64::from(**value) > split).count();
        (above, values.count())
    };
    let (one, other) = (above(first), above(second));
    let share = |(above, all): (usize, usize)| above as f64 / all as f64;
    let apart = (share(one) - share(other)).abs() >= MIN_SHARE_DIFFERENCE;
    apart.then(|| {
        format!(
            "The order of the names tells them apart: with {} {} of {} are in the upper group, with {} {} of {}.",
            first.label,
            grouped(one.0),
            grouped(one.1),
            second.label,
            grouped(other.0),
            grouped(other.1)
        )
    })
}

/// Two sentences about the histogram `name`, for scores also one about the effect of normalization, if there is any;
/// one sentence where there are no values yet. Pending comparisons lead to no conclusion.
pub fn histogram(result: &ResultFile, name: HistogramId, view: &View, compare: &Compare<'_>) -> Vec<String> {
    let facts = HistogramFacts::of(result, name, compare);
    if facts.all.is_empty() {
        return vec!["There are no values yet: this figure fills in with the first batch.".into()];
    }
    let visible = facts.visible(view);
    let (sentences, more) = if name.probs() {
        ([facts.attention(&visible), facts.prompts_won(&visible)], None)
    } else {
        ([facts.furthest_right(&visible), facts.meaning()], facts.normalization())
    };
    let all = sentences.into_iter().chain(more);
    all.map(|sentence| result.with_position_names(sentence)).collect()
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "story/conclusion_tests.rs"]
mod conclusion_tests;
