//! What a figure's data say, in sentences: every number in them is computed from the result that is shown, and where a
//! claim of the notebook is not true of it, the sentence says what is true instead.

use super::quantities::{counted, grouped, number};
use super::view::View;
use crate::names::{HistogramId, SeriesId};
use crate::plot::series_starts_visible;
use crate::result::{Groups, ResultFile, mean, two_groups};

mod cells;

pub use cells::heatmap;

/// What the head reads when nothing is put in its place.
const BASE: SeriesId = SeriesId::NoPatching;

/// One series as the sentences need it.
#[derive(Debug, Clone, PartialEq)]
struct Seen<'a> {
    label: &'a SeriesId,
    mean: f64,
    values: &'a [f32],
    /// Two groups that the values fall into: their mean is then like neither.
    groups: Option<Groups>,
}

/// Least size of a total, relative to the mean size of what it is made of, of which a share says something.
const LEAST_TOTAL: f64 = 0.1;

impl Seen<'_> {
    /// Whether shares of the mean say something: it is positive, not near 0 for the size of the values, and not between two
    /// groups.
    fn has_shares(&self) -> bool {
        let size = self.values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / self.values.len() as f64;
        self.groups.is_none() && self.mean > 0.0 && self.mean >= LEAST_TOTAL * size
    }

    /// "falls into two groups: 40 prompts around 0 % and 40 around 100 %", with numbers as `told`.
    fn told_groups(&self, told: fn(f64) -> String) -> Option<String> {
        let Groups { low, high, .. } = self.groups?;
        Some(format!(
            "falls into two groups: {} around {} and {} around {}",
            counted(low.n, "prompt", "prompts"),
            told(low.mean),
            grouped(high.n),
            told(high.mean)
        ))
    }
}

/// The series of a figure, highest mean first: those that have a value.
fn seen(result: &ResultFile, name: HistogramId) -> Vec<Seen<'_>> {
    let series = result.series(name).into_iter();
    let mut seen: Vec<Seen<'_>> = series
        .filter_map(|(label, values)| {
            let mean = mean(values).filter(|mean| mean.is_finite())?;
            let groups = two_groups(values);
            Some(Seen {
                label,
                mean,
                values,
                groups,
            })
        })
        .collect();
    seen.sort_by(|left, right| right.mean.total_cmp(&left.mean));
    seen
}

/// Those of `seen` that the reader sees.
fn visible<'a>(seen: &[Seen<'a>], name: HistogramId, view: &View) -> Vec<Seen<'a>> {
    let toggled = view.histogram(name).toggled;
    let shown = |series: &&Seen<'_>| series_starts_visible(series.label) != toggled.contains(series.label);
    seen.iter().filter(shown).cloned().collect()
}

fn find<'s, 'a>(seen: &'s [Seen<'a>], label: &SeriesId) -> Option<&'s Seen<'a>> {
    seen.iter().find(|series| series.label == label)
}

/// The figure's main claim is about this series, and it is held against that one: of all that it may be held against the last,
/// which has least to do with it.
fn pair(name: HistogramId) -> (SeriesId, SeriesId) {
    let (main, others) = name.claim();
    let other = others.last().cloned();
    (main, other.unwrap_or(BASE))
}

fn score(value: f64) -> String {
    number(value, 2)
}

/// A share as a percentage: "68 %"; close to the ends with a decimal, so that 99.7 % is not all.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let near_an_end = percent != percent.round() && (percent.abs() < 1.0 || (percent - 100.0).abs() < 1.0);
    format!("{} %", number(percent, usize::from(near_an_end)))
}

/// `value` against the positive `base`: "2.4 times as much as No patching", "79 % as much as No patching".
fn against(value: f64, base: f64) -> String {
    let ratio = value / base;
    let times = if ratio >= 1.5 {
        format!("{} times ", number(ratio, 1))
    } else if (ratio - 1.0).abs() < 0.005 {
        String::new()
    } else {
        format!("{} ", percent(ratio))
    };
    format!("{times}as much as {BASE}")
}

/// What head and prompts are, and how much attention there is to explain.
pub fn question(result: &ResultFile) -> String {
    let probs = seen(result, HistogramId::KeysFixedProbs);
    let Some(base) = find(&probs, &BASE) else {
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
    if let Some(groups) = base.told_groups(percent) {
        return format!("{over}, but that is a mean of two kinds of prompts: the share {groups}.");
    }
    let verdict = match base.mean {
        share if share >= 0.5 => "It looks at IO more than at all other positions together.",
        share if share >= 0.1 => "IO gets a good part of it, but not most.",
        _ => "It hardly looks at IO at all, so that there is little to explain.",
    };
    format!("{over}. {verdict}")
}

/// Two sentences on what there is to see in the histogram `name`; one where there is nothing yet.
pub fn histogram(result: &ResultFile, name: HistogramId, view: &View) -> Vec<String> {
    let all = seen(result, name);
    if all.is_empty() {
        return vec!["There are no values yet: this figure fills in with the first batch.".into()];
    }
    let visible = visible(&all, name, view);
    if name.probs() {
        return vec![attention(&visible, name), prompts_won(&visible)];
    }
    vec![furthest_right(&visible, name), meaning(&all, name, result)]
}

/// Which series lies furthest right, and how that compares with nothing replaced.
fn furthest_right(visible: &[Seen<'_>], name: HistogramId) -> String {
    let Some(best) = visible.first() else {
        return "All series of this figure are hidden.".into();
    };
    let place = name.side();
    let Some(base) = find(visible, &BASE) else {
        return format!(
            "{} lies furthest right of the series shown, with a mean score of {}.",
            best.label,
            score(best.mean)
        );
    };
    let Some(next) = visible.iter().find(|series| *series.label != BASE) else {
        return format!("Only {BASE} is shown: its mean score is {}.", score(base.mean));
    };
    if *best.label == BASE {
        let compared = if base.has_shares() && next.mean > 0.0 {
            format!(" ({} of it)", percent(next.mean / base.mean))
        } else {
            String::new()
        };
        return format!(
            "The {place} as it is ({BASE}) lies furthest right, with a mean score of {}; of what is put in its place, {} comes \
             nearest, with {}{compared}.",
            score(base.mean),
            next.label,
            score(next.mean)
        );
    }
    let compared = match best.mean / base.mean {
        _ if !base.has_shares() => "against".into(),
        ratio if ratio >= 1.5 => format!("{} times", number(ratio, 1)),
        ratio if ratio < 1.005 => "the same as".into(),
        ratio => format!("{} of", percent(ratio)),
    };
    format!(
        "{} lies furthest right: put in the {place}\u{2019}s place, it gives a mean score of {}, {compared} the {} of the {place} \
         as it is ({BASE}).",
        best.label,
        score(best.mean),
        score(base.mean)
    )
}

/// What the order of the series says about the head: the notebook's claim, or what is true instead.
fn meaning(all: &[Seen<'_>], name: HistogramId, result: &ResultFile) -> String {
    let (main_id, other_id) = pair(name);
    let (Some(main), Some(other)) = (find(all, &main_id), find(all, &other_id)) else {
        return format!(
            "{} not in this result, so that it does not say what the {} must contain.",
            if find(all, &main_id).is_none() {
                format!("{main_id} is")
            } else {
                format!("{other_id} is")
            },
            name.side()
        );
    };
    for series in [main, other] {
        if let Some(groups) = series.told_groups(score) {
            return format!(
                "{} {groups}. Its mean is like neither, and says nothing about what the {} must contain.",
                series.label,
                name.side()
            );
        }
    }
    let (high, low) = (score(main.mean), score(other.mean));
    if !name.keys_fixed() {
        return if main.mean > other.mean {
            format!(
                "What layer 0 makes of the token counts for more than the token\u{2019}s row alone: {} gives {high}, {} {low}.",
                main.label, other.label
            )
        } else {
            format!(
                "What layer 0 makes of the token is no help here: {} gives {high}, and the row alone, {}, {low}.",
                main.label, other.label
            )
        };
    }
    let claim = if main.mean <= other.mean {
        format!(
            "The name is not what counts here: {}, the row of any token, gives {low}, and {} only {high}.",
            other.label, main.label
        )
    } else if other.mean <= main.mean / 2.0 {
        format!(
            "It must be that name, not just any direction: {}, the row of a token drawn at random, gives {low}",
            other.label
        )
    } else {
        format!(
            "The name helps, but much of the score comes with any token: {} gives {low}, {} {high}",
            other.label, main.label
        )
    };
    let earlier = result.earlier_head();
    let written = earlier.and_then(|head| Some((head, find(all, &SeriesId::EarlierHead(head))?)));
    match written.filter(|_| !claim.ends_with('.')) {
        Some((head, written)) => format!("{claim}; what head {head} writes at END gives {}.", score(written.mean)),
        None if claim.ends_with('.') => claim,
        None => format!("{claim}."),
    }
}

/// How much attention the main series gives IO, and how much nothing replaced does.
fn attention(visible: &[Seen<'_>], name: HistogramId) -> String {
    let Some(best) = visible.first() else {
        return "All series of this figure are hidden.".into();
    };
    let main = find(visible, &pair(name).0).filter(|main| main.label != best.label && *best.label == BASE);
    let told = main.unwrap_or(best);
    match find(visible, &BASE).filter(|base| base.label != told.label) {
        Some(base) => format!(
            "After the softmax {} gives IO {} of the attention on average, and {BASE} {}.",
            told.label,
            percent(told.mean),
            percent(base.mean)
        ),
        None => format!(
            "After the softmax {} gives IO {} of the attention on average, more than any other series shown.",
            told.label,
            percent(told.mean)
        ),
    }
}

/// In how many prompts IO gets more than half of the attention, for the series at the top, nothing replaced and the last.
fn prompts_won(visible: &[Seen<'_>]) -> String {
    let mut told: Vec<&Seen<'_>> = visible.iter().take(1).collect();
    told.extend(find(visible, &BASE));
    told.extend(visible.last());
    let mut counts: Vec<String> = Vec::new();
    let mut done: Vec<&SeriesId> = Vec::new();
    for series in told {
        if !done.contains(&series.label) {
            done.push(series.label);
            let won = series.values.iter().filter(|value| **value > 0.5).count();
            counts.push(format!("{} with {}", grouped(won), series.label));
        }
    }
    let Some(first) = visible.first() else {
        return "A click on a legend entry shows its series.".into();
    };
    let prompts = counted(first.values.len(), "prompt", "prompts");
    format!(
        "Of {prompts}, IO gets more than half of the attention in {}.",
        list(&counts)
    )
}

/// "a", "a and b", "a, b and c".
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// What both sides together say about the head.
pub fn ending(result: &ResultFile) -> Vec<String> {
    [HistogramId::KeysFixedScores, HistogramId::QueriesFixedScores]
        .into_iter()
        .filter_map(|name| {
            let all = seen(result, name);
            let base = find(&all, &BASE)?;
            let main = find(&all, &pair(name).0)?;
            let side = if name.keys_fixed() {
                "On the query side"
            } else {
                "On the key side"
            };
            for series in [base, main] {
                if let Some(groups) = series.told_groups(score) {
                    return Some(format!("{side} there is no one answer: {} {groups}.", series.label));
                }
            }
            if !base.has_shares() {
                return None;
            }
            if main.mean <= 0.0 {
                return Some(format!(
                    "{side} {} does not explain the score: it gives {}, where {BASE} gives {}.",
                    main.label,
                    score(main.mean),
                    score(base.mean)
                ));
            }
            let share = against(main.mean, base.mean);
            Some(match main.mean / base.mean {
                ratio if ratio >= 0.9 => format!("{side} {} explains the score: it gives {share}.", main.label),
                ratio if ratio >= 0.5 => format!(
                    "{side} {} explains most of the score, but not all: it gives {share}.",
                    main.label
                ),
                _ => format!(
                    "{side} {} does not explain the score: it gives {share}, and something else must do the rest.",
                    main.label
                ),
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
