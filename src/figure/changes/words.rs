//! Texts about an intervention in every prompt.

use crate::analysis::{ChangesSection, RunIntervention, RunReplacement, RunVector};
use crate::figure::sentence::intervention_words::{activation_name, place_name};
use crate::names::{ChangeMeasure, HeadActivation};
use crate::quantities::{counted, decimals, grouped, number};
use crate::result::{Interval, PairedDifference, ResultFile, mean, two_groups};

/// Heading of the figure of `measure`.
pub(super) const fn heading(measure: ChangeMeasure) -> &'static str {
    match measure {
        ChangeMeasure::Attention => "Does the head still look there?",
        ChangeMeasure::LogitDifference => "Does it matter for what the model decides?",
        ChangeMeasure::LogprobA => "How likely does the right token stay?",
    }
}

/// What the figure of `measure` shows, in a few words.
pub(super) const fn title(measure: ChangeMeasure) -> &'static str {
    match measure {
        ChangeMeasure::Attention => "Change of attention by an intervention",
        ChangeMeasure::LogitDifference => "Change of the logit difference by an intervention",
        ChangeMeasure::LogprobA => "Change of a log-probability by an intervention",
    }
}

/// What the figure of `measure` shows, in a sentence or two.
pub(super) const fn explanation(measure: ChangeMeasure) -> &'static str {
    match measure {
        ChangeMeasure::Attention => {
            "The change of the head\u{2019}s attention from END to IO in every prompt, recomputed with the intervention, beside the \
             linear prediction with LayerNorm\u{2019}s scales frozen."
        }
        ChangeMeasure::LogitDifference => {
            "The change of the logit difference of the two targets in every prompt, recomputed to the end of the model. The linear prediction \
             knows only the direct path from what the head writes to the logits; later layers may step in."
        }
        ChangeMeasure::LogprobA => {
            "The change of the log-probability of the first target in every prompt, recomputed to the end of the model. \
             It has no linear prediction."
        }
    }
}

/// Title of the axis of values.
pub(super) const fn axis(measure: ChangeMeasure) -> &'static str {
    match measure {
        ChangeMeasure::Attention => "Change of attention",
        ChangeMeasure::LogitDifference => "Change of the logit difference",
        ChangeMeasure::LogprobA => "Change of the log-probability",
    }
}

/// What a series of the histogram is.
pub(super) const fn note(recomputed: bool) -> &'static str {
    if recomputed {
        "With the intervention, recomputed to the end of the model, minus as it is"
    } else {
        "As linearly predicted, scales of LayerNorm frozen and the direct path alone, minus as it is"
    }
}

/// What is measured, with its head.
pub(super) fn name(result: &ResultFile, section: &ChangesSection, measure: ChangeMeasure) -> String {
    match measure {
        ChangeMeasure::Attention => {
            result.with_position_names(format!("the attention of head {} from END to IO", section.head))
        }
        ChangeMeasure::LogitDifference => "the logit difference of the two targets".to_owned(),
        ChangeMeasure::LogprobA => "the log-probability of the first target".to_owned(),
    }
}

/// What was done: "With head 9.9 taken out of the query".
fn done(intervention: &RunIntervention) -> String {
    match intervention {
        RunIntervention::Substitute { side, vector } => match vector {
            RunVector::Series(series) => format!("With the {side} made from {series}"),
            RunVector::Component(component) => format!("With the {side} made from what {} writes", component.name()),
            RunVector::Mean => format!("With the {side} made from the mean over the run"),
            RunVector::Zero => format!("With the {side} made from its bias alone"),
        },
        RunIntervention::Remove { side, component } => format!("With {} taken out of the {side}", component.name()),
        RunIntervention::Set {
            head,
            activation,
            to,
            at,
        } => {
            let place = place_name(*at, *activation);
            match (activation, to) {
                (HeadActivation::Z, RunReplacement::Zero) => format!("With head {head} knocked out {place}"),
                (_, RunReplacement::Zero) => {
                    format!(
                        "With the {} of head {head} set to 0 {place}",
                        activation_name(*activation)
                    )
                }
                (_, RunReplacement::Mean) => format!(
                    "With the {} of head {head} set to its mean over the run {place}",
                    activation_name(*activation)
                ),
            }
        }
    }
}

/// A measure as its numbers are shown: shares as percentages, changes of shares in points.
#[derive(Clone, Copy)]
struct Unit {
    per_unit: f64,
    least: usize,
    of_level: &'static str,
    of_change: &'static str,
}

impl Unit {
    fn of(measure: ChangeMeasure) -> Self {
        match measure {
            ChangeMeasure::Attention => Self {
                per_unit: 100.0,
                least: 0,
                of_level: " %",
                of_change: " points",
            },
            _ => Self {
                per_unit: 1.0,
                least: 2,
                of_level: "",
                of_change: "",
            },
        }
    }

    fn level(self, value: f64) -> String {
        let decimals = usize::from(self.per_unit > 1.0 && (self.per_unit * value).abs() < 10.0);
        format!(
            "{}{}",
            number(self.per_unit * value, self.least.max(decimals)),
            self.of_level
        )
    }

    fn change(self, value: f64) -> String {
        let small = usize::from(self.per_unit > 1.0 && (self.per_unit * value).abs() < 10.0);
        let decimals = self.least.max(small);
        format!("{}{}", number(self.per_unit * value, decimals), self.of_change)
    }

    /// "1.9 points, 95 % interval 1.2 to 2.6".
    fn with_interval(self, value: f64, Interval { low, high }: Interval) -> String {
        let (value, low, high) = (self.per_unit * value, self.per_unit * low, self.per_unit * high);
        let decimals = decimals(high - low, self.least);
        format!(
            "{}{}, 95 % interval {} to {}",
            number(value, decimals),
            self.of_change,
            number(low, decimals),
            number(high, decimals)
        )
    }
}

/// One sentence on what changes, and one on the linear prediction: each with its number of prompts and an interval, and without a
/// conclusion where that holds 0.
pub(super) fn description(result: &ResultFile, section: &ChangesSection, measure: ChangeMeasure) -> Vec<String> {
    let unit = Unit::of(measure);
    let (before, after) = (section.before.of(measure), section.after.of(measure));
    let subject = name(result, section, measure);
    let done = done(&section.intervention);
    let change = section.change(measure);
    let over = counted(section.prompts(), "prompt", "prompts");
    let (Some(was), Some(is)) = (mean(before), mean(after)) else {
        return vec![format!("{done}: nothing is known of {subject} yet.")];
    };
    let levels = format!("from {} to {}", unit.level(was), unit.level(is));
    if change.iter().all(|change| *change == 0.0) {
        return vec![format!("{done}, {subject} stays as it is in all of the {over}.")];
    }
    let found = PairedDifference::of(after, before);
    let Some((found, interval)) = found.and_then(|found| Some((found, found.interval?))) else {
        return vec![format!(
            "{done}, {subject} goes {levels} on average over {over}: too few to tell that from chance."
        )];
    };
    if let Some(groups) = two_groups(&change) {
        let first = format!(
            "{done}, the change of {subject} falls into two groups: {} around {} and {} around {}. Its mean, {}, is like neither.",
            counted(groups.low.n, "prompt", "prompts"),
            unit.change(groups.low.mean),
            grouped(groups.high.n),
            unit.change(groups.high.mean),
            unit.with_interval(found.mean, interval)
        );
        return [first].into_iter().chain(prediction(section, measure, unit)).collect();
    }
    let first = match (interval.low, interval.high) {
        (low, _) if low > 0.0 => format!(
            "{done}, {subject} rises on average over {over}, {levels}: by {}; it rises in {} of them.",
            unit.with_interval(found.mean, interval),
            grouped(found.larger)
        ),
        (low, high) if high < 0.0 => {
            let negated = Interval { low: -high, high: -low };
            format!(
                "{done}, {subject} falls on average over {over}, {levels}: by {}; it falls in {} of them.",
                unit.with_interval(-found.mean, negated),
                grouped(found.smaller)
            )
        }
        _ => format!(
            "{done}, the data do not show that {subject} changes: over {over} it does by {} on average.",
            unit.with_interval(found.mean, interval)
        ),
    };
    [first].into_iter().chain(prediction(section, measure, unit)).collect()
}

/// How far what is recomputed is from the linear prediction.
fn prediction(section: &ChangesSection, measure: ChangeMeasure, unit: Unit) -> Option<String> {
    let predicted = section.predicted(measure)?;
    let expected_change = PairedDifference::of(predicted, section.before.of(measure))?;
    let found = PairedDifference::of(section.after.of(measure), predicted)?;
    let interval = found.interval?;
    let evidence = unit.with_interval(found.mean, interval);
    let predicted = format!(
        "The linear prediction is {} on average",
        unit.change(expected_change.mean)
    );
    Some(if interval.low <= 0.0 && interval.high >= 0.0 {
        format!("{predicted}; the data do not show that this differs from what is recomputed ({evidence}).")
    } else {
        format!("{predicted}: what is recomputed differs from that by {evidence}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Head;

    fn result() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../../public/recorded/gpt2-small-10.7.json"))
            .expect("the recorded run")
    }

    /// A section whose logit difference goes from 1 to `after` in each prompt, where `predicted` is predicted.
    fn section(after: &[f32], predicted: f32) -> ChangesSection {
        let intervention = "query without 9.9".parse().expect("an intervention");
        let mut section = ChangesSection::empty(Head::new(10, 7), intervention);
        for &after in after {
            let token = crate::analysis::pair::LabeledToken {
                token: 1,
                text: String::new(),
            };
            section.a.push(token.clone());
            section.b.push(token);
            section.before.push([0.75, 1.0, -1.0]);
            section.after.push([0.5, after, -1.0]);
            section.predicted.attention.extend([0.5]);
            section.predicted.logit_difference.extend([predicted]);
        }
        section
    }

    fn describe(after: &[f32], predicted: f32) -> String {
        description(&result(), &section(after, predicted), ChangeMeasure::LogitDifference).join(" ")
    }

    #[test]
    fn what_changes_is_said_with_its_interval() {
        let falls = describe(&[0.4, 0.6, 0.5, 0.5, 0.3, 0.7, 0.5, 0.5], 0.5);
        assert!(
            falls.contains("With head 9.9 taken out of the query, the logit difference of the two targets falls on average over 8 prompts, from 1.00 to 0.50: by 0.50, 95 % interval 0.4"),
            "{falls}"
        );
        assert!(
            falls.contains("it falls in 8 of them") && falls.contains("do not show that this differs"),
            "{falls}"
        );
        let rises = describe(&[2.4, 2.6, 2.5, 2.5, 2.3, 2.7, 2.5, 2.5], 0.5);
        assert!(
            rises.contains("rises on average") && rises.contains("differs from that by 2.0"),
            "{rises}"
        );
        let attention = description(&result(), &section(&[1.5; 8], 1.0), ChangeMeasure::Attention).join(" ");
        assert!(
            attention.contains("the attention of head 10.7 from END to IO falls") && attention.contains("25"),
            "{attention}"
        );
    }

    #[test]
    fn what_may_be_chance_is_not_concluded() {
        let unclear = describe(&[0.5, 1.5, 0.6, 1.4, 0.9, 1.15, 1.0, 1.0], 1.0);
        assert!(unclear.contains("the data do not show that"), "{unclear}");
        let few = describe(&[0.5, 0.6, 0.5, 0.4, 0.5], 0.5);
        assert!(
            few.contains("over 5 prompts: too few to tell") && !few.contains("linear prediction"),
            "{few}"
        );
        let same = describe(&[1.0; 9], 1.0);
        assert!(same.ends_with("stays as it is in all of the 9 prompts."), "{same}");
        assert!(describe(&[], 0.0).contains("nothing is known"));
        let kinds: Vec<f32> = (0..40u8)
            .map(|i| f32::from(i % 2) * 10.0 + f32::from(i) / 40.0)
            .collect();
        assert!(describe(&kinds, 1.0).contains("falls into two groups: 20 prompts around"));
    }

    #[test]
    fn every_intervention_is_told() {
        for (text, words) in [
            ("query from W_U[IO]", "With the query made from W_U[IO]"),
            ("key from MLP0", "With the key made from what MLP 0 writes"),
            ("query from mean", "made from the mean over the run"),
            ("key from zero", "made from its bias alone"),
            ("z of 9.9 zero everywhere", "With head 9.9 knocked out at every token"),
            (
                "v of 9.9 zero",
                "With the value of head 9.9 set to 0 at the token looked at",
            ),
            (
                "pattern of 9.9 mean",
                "With the pattern of head 9.9 set to its mean over the run at the token that looks",
            ),
        ] {
            let intervention: RunIntervention = text.parse().expect(text);
            assert!(done(&intervention).contains(words), "{}", done(&intervention));
        }
    }
}
