//! Texts about the head's output over all prompts. Conclusions are based on an interval and a control.

use crate::analysis::{Chances, GroupsOverPrompts, RunDirectionsSection, RunWritesSection};
use crate::figure::sentence::words::percent;
use crate::math::sort_descending;
use crate::quantities::{counted, grouped, number};
use crate::result::{BoxStats, PairedDifference, percentile, two_groups};

/// What the part of the page is called that is about what the head writes.
pub(super) const WRITES: &str = "What does the head write, prompt by prompt?";
/// A share of prompts from which on a direction recurs.
const OFTEN: f64 = 0.9;
/// Size above which the digits of a score are not what is said to be lost, but their share.
const LARGE_SCORE: f32 = 1e3;
/// Directions that are named.
const NAMED: usize = 6;
/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

fn signed(value: f64, digits: usize) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value, digits))
}

/// "0.42 (standard deviation 0.10)".
fn with_deviation(stats: &BoxStats) -> String {
    match stats.standard_deviation {
        Some(deviation) => format!(
            "{} (standard deviation {})",
            signed(stats.mean, 3),
            number(deviation, 3)
        ),
        None => signed(stats.mean, 3),
    }
}

/// "difference 0.42, 95 % interval 0.40 to 0.44, 40 prompts", in units of which `per_unit` are 1.
fn basis(found: &PairedDifference, per_unit: f64, unit: &str, digits: usize) -> Option<String> {
    let interval = found.interval?;
    Some(format!(
        "difference {}{unit}, 95 % interval {} to {}{unit}, {}",
        number(per_unit * found.mean, digits),
        number(per_unit * interval.low, digits),
        number(per_unit * interval.high, digits),
        counted(found.n, "prompt", "prompts")
    ))
}

/// Whether the mean is beyond chance above 0 (1) or below (-1).
fn sign(found: &PairedDifference) -> i8 {
    match found.interval {
        Some(interval) if interval.low > 0.0 => 1,
        Some(interval) if interval.high < 0.0 => -1,
        _ => 0,
    }
}

/// What the head adds to the logit of the token that it reads, and to the targets.
pub(super) fn source(section: &RunWritesSection) -> Vec<String> {
    let values = section.source.data();
    let Some(stats) = BoxStats::of(values) else {
        return vec!["There are no prompts.".into()];
    };
    let below = values.iter().filter(|value| **value < 0.0).count();
    let ranks: Vec<f32> = section.rank.iter().map(|rank| *rank as f32).collect();
    let rank = percentile(&ranks, 0.5).map_or(0, |rank| rank.round() as usize);
    let mut description = vec![format!(
        "Over {}, a unit of attention of head {} to the source adds {} to the logit of the token that stands there; it lowers it in {} of \
         them. The median rank of that token is {} of {} from the most raised to the most lowered.",
        counted(values.len(), "prompt", "prompts"),
        section.head,
        with_deviation(&stats),
        grouped(below),
        grouped(rank),
        grouped(section.vocabulary)
    )];
    description.extend(copies(section));
    description.extend(effect(section));
    description
}

/// Whether it copies or suppresses, against the other tokens of the prompts.
fn copies(section: &RunWritesSection) -> Option<String> {
    let pairs = section.source.data().iter().zip(&section.others);
    let (own, others): (Vec<f32>, Vec<f32>) = pairs.filter_map(|(own, other)| Some((*own, (*other)?))).unzip();
    let control = BoxStats::of(&others)?;
    let against = format!(
        "The other tokens of the prompt get {} on average",
        with_deviation(&control)
    );
    if let Some(groups) = two_groups(&own) {
        return Some(format!(
            "{against}. But the source token\u{2019}s own values fall into two groups, {} around {} and {} around {}: their mean is like \
             neither.",
            counted(groups.low.n, "prompt", "prompts"),
            signed(groups.low.mean, 2),
            grouped(groups.high.n),
            signed(groups.high.mean, 2)
        ));
    }
    let found = PairedDifference::of(&own, &others)?;
    let of_own = PairedDifference::of(&own, &vec![0.0; own.len()])?;
    let basis = basis(&found, 1.0, "", 3)?;
    let verdict = match (sign(&of_own), sign(&found)) {
        (1, 1) => "the head copies what it reads",
        (-1, -1) => "the head suppresses what it reads",
        (_, 0) => "no difference beyond chance",
        _ => "what it adds is not of one kind, though",
    };
    Some(format!("{against} ({basis}): {verdict}."))
}

/// The head's direct effect on the difference of the targets.
fn effect(section: &RunWritesSection) -> Option<String> {
    let values = section.direct_effect.data();
    let stats = BoxStats::of(values)?;
    let zeros = vec![0.0; values.len()];
    let interval = PairedDifference::of(values, &zeros).and_then(|found| found.interval);
    let interval = interval.map_or_else(String::new, |interval| {
        format!(
            ", 95 % interval of the mean {} to {}",
            number(interval.low, 3),
            number(interval.high, 3)
        )
    });
    Some(format!(
        "By itself, past all later layers, it adds {} to the difference of the logits of a prompt\u{2019}s two targets{interval}.",
        with_deviation(&stats)
    ))
}

/// A token that is looked at in every prompt that has one.
pub(super) struct TokenOverPrompts {
    pub(super) name: &'static str,
    /// None in a prompt without one.
    found: Vec<Option<Chances>>,
}

impl TokenOverPrompts {
    /// The attended token, the one that is second, and one that is drawn.
    pub(super) fn all(section: &RunWritesSection) -> [Self; 3] {
        let prompts = 0..section.rank.len();
        let over_prompts = |name, read: &dyn Fn(usize) -> Option<Chances>| Self {
            name,
            found: prompts.clone().map(read).collect(),
        };
        [
            over_prompts("attended most", &|prompt| section.of_attended(prompt)),
            over_prompts("attended second", &|prompt| section.of_second(prompt)),
            over_prompts("drawn from the others", &|prompt| section.of_random(prompt)),
        ]
    }

    /// Number of prompts that have one.
    pub(super) fn count(&self) -> usize {
        self.found.iter().flatten().count()
    }

    /// In which share of these it is lowered most, predicted, and both.
    pub(super) fn shares(&self) -> [f32; 3] {
        let reads: [fn(&Chances) -> f32; 3] = [|chances| chances.suppressed, |of| of.predicted, |of| of.both];
        reads.map(|read| {
            let sum: f64 = self
                .found
                .iter()
                .flatten()
                .map(|chances| f64::from(read(chances)))
                .sum();
            (sum / self.count().max(1) as f64) as f32
        })
    }

    /// How much more often it is lowered most than `other`, over the prompts that have both.
    fn lowered_against(&self, other: &Self) -> Option<PairedDifference> {
        let pairs = self.found.iter().zip(&other.found);
        let pairs = pairs.filter_map(|(own, other)| Some((own.as_ref()?.suppressed, other.as_ref()?.suppressed)));
        let (own, others): (Vec<f32>, Vec<f32>) = pairs.unzip();
        PairedDifference::of(&own, &others)
    }
}

/// How often what the head attends to most is what it lowers most, and whether that is more than its controls.
pub(super) fn suppression(section: &RunWritesSection) -> Vec<String> {
    let [attended, second, drawn] = TokenOverPrompts::all(section);
    let (n, all) = (attended.count(), |looked: &TokenOverPrompts, which: usize| {
        looked
            .found
            .iter()
            .flatten()
            .filter(|chances| [chances.suppressed, chances.predicted, chances.both][which] > 0.0)
            .count()
    });
    if n == 0 {
        return vec!["No prompt has a token besides the first that the head could attend to.".into()];
    }
    let lowered = all(&attended, 0);
    let mut description = vec![format!(
        "In {} of {} ({}) the token that head {} lowers most is the one that it attends to most; the one that is second in attention it is in \
         {}, one drawn from the others of the prompt in {}.",
        grouped(lowered),
        counted(n, "prompt", "prompts"),
        percent(attended.shares()[0]),
        section.head,
        percent(second.shares()[0]),
        percent(drawn.shares()[0])
    )];
    description.push(format!(
        "The attended token is among the ten likeliest before the head in {} of {}, and both in {}.",
        grouped(all(&attended, 1)),
        counted(n, "prompt", "prompts"),
        grouped(all(&attended, 2))
    ));
    let against = [&second, &drawn].map(|control| attended.lowered_against(control));
    if let [Some(of_second), Some(of_drawn)] = against {
        let bases = (
            basis(&of_second, 100.0, " points", 1),
            basis(&of_drawn, 100.0, " points", 1),
        );
        if let (Some(one), Some(other)) = bases {
            let verdict = match (sign(&of_second), sign(&of_drawn)) {
                (1, 1) => "so it does lower what it attends to, more than chance and both controls would have it",
                (-1, -1) => "so it lowers what it attends to less often than others",
                _ => "that is not beyond chance against both",
            };
            description.push(format!(
                "Against the second: {one}; against one that is drawn: {other}: {verdict}."
            ));
        }
    }
    description
}

/// A group of directions over the prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RecurringGroup {
    first: usize,
    count: usize,
    pub(super) mean: f32,
    pub(super) deviation: Option<f32>,
    /// In how many prompts it is among those of nine tenths.
    pub(super) explaining: usize,
}

impl RecurringGroup {
    /// What it is called: its directions.
    pub(super) fn name(&self) -> String {
        match self.count {
            1 => self.first.to_string(),
            count => format!("{}\u{2013}{}", self.first, self.first + count - 1),
        }
    }

    /// The share of `prompts` in which it is among those of nine tenths.
    pub(super) fn share(&self, prompts: usize) -> f32 {
        self.explaining as f32 / prompts.max(1) as f32
    }
}

/// The groups of `section`, the largest mean by size first.
pub(super) fn by_size(section: &RunDirectionsSection, groups: &GroupsOverPrompts) -> Vec<RecurringGroup> {
    let numbers = section
        .ranges()
        .into_iter()
        .zip(groups.mean.data())
        .zip(&groups.explaining);
    let mut found: Vec<RecurringGroup> = numbers
        .enumerate()
        .map(|(index, (((first, count), &mean), &explaining))| RecurringGroup {
            first,
            count,
            mean,
            deviation: groups
                .deviation
                .as_ref()
                .and_then(|deviations| deviations.data().get(index))
                .copied(),
            explaining,
        })
        .collect();
    sort_descending(&mut found, |one| one.mean.abs());
    found
}

/// Lower end of the 95 % interval of a share: Wilson 1927.
fn at_least(count: usize, n: usize) -> f64 {
    let (n, share) = (n as f64, count as f64 / n as f64);
    let z2 = Z * Z;
    let middle = share + z2 / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    (middle - reach) / (1.0 + z2 / n)
}

/// How many directions make up most of the score, which recur, and that all add up to it.
pub(super) fn directions(section: &RunDirectionsSection, groups: &GroupsOverPrompts, score: &str) -> Vec<String> {
    let needed: Vec<f32> = groups.needed.iter().map(|count| *count as f32).collect();
    let (Some(stats), count) = (BoxStats::of(&needed), section.groups.len()) else {
        return vec!["There are no prompts.".into()];
    };
    let directions = if count == section.values.data().len() {
        counted(count, "direction", "directions")
    } else {
        counted(count, "group of directions", "groups of directions")
    };
    let prompts = counted(section.prompts, "prompt", "prompts");
    let mut description = vec![format!(
        "Over {prompts}, {} of {directions} of head {} make up nine tenths of the sizes of all in the median prompt, {} in the one with fewest \
         and {} in the one with most.",
        number(stats.median, usize::from(stats.median.fract() != 0.0)),
        section.head,
        number(stats.min, 0),
        number(stats.max, 0)
    )];
    let chance = stats.mean / count.max(1) as f64;
    let often = |group: &RecurringGroup| group.explaining as f64 / section.prompts as f64 >= OFTEN;
    let beats = |group: &RecurringGroup| at_least(group.explaining, section.prompts) > chance;
    let mut recurring = by_size(section, groups);
    recurring.retain(|group| often(group) && beats(group));
    let drawn = format!(
        "were as many drawn at random in every prompt, each would be in {}",
        percent(chance as f32)
    );
    let names: Vec<String> = recurring
        .iter()
        .take(NAMED)
        .map(|group| {
            let deviation = group.deviation.map_or_else(String::new, |deviation| {
                format!(" \u{b1} {}", number(f64::from(deviation), 2))
            });
            let mean = signed(f64::from(group.mean), 2);
            format!(
                "{} ({mean}{deviation}, in {})",
                group.name(),
                percent(group.share(section.prompts))
            )
        })
        .collect();
    description.push(match recurring.len() {
        0 => format!("None of them is among these in nine of ten prompts, beyond chance: {drawn}."),
        more if more > NAMED => format!(
            "{more} of them are among these in nine of ten prompts or more, the largest {}; {drawn}.",
            names.join(", ")
        ),
        _ => format!(
            "Among these in nine of ten prompts or more: {}; {drawn}.",
            names.join(", ")
        ),
    });
    // Of large scores the last digits are lost: what is lost is small beside them.
    let size = groups.mean_score.abs();
    let (residual, unit) = if size > LARGE_SCORE {
        (groups.max_abs_residual / size, " of its mean")
    } else {
        (groups.max_abs_residual, "")
    };
    description.push(format!(
        "Directions and biases add up to the {score} in every prompt, but for {residual:.0e}{unit} at most; its mean is {}.",
        number(f64::from(groups.mean_score), 3)
    ));
    description
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
