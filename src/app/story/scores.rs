//! Sentences about scores: which series is highest, and whether the token of the claim matters.

use super::{BASE, HistogramFacts, SeriesFacts, basis, both, limits, list, percent, score};
use crate::names::SeriesId;
use crate::quantities::counted;
use crate::result::{Comparison, Evidence};

/// A control is mentioned if it reaches at least this share of the unsubstituted score.
const WORTH_SAYING: f64 = 0.25;

/// A series is called larger without "on average" if it is larger in at least this share of the prompts.
const NEARLY_ALL: f64 = 0.9;

impl HistogramFacts<'_> {
    /// The series with the highest mean, and its distance to the next one.
    pub(super) fn furthest_right(&self, visible: &[&SeriesFacts<'_>]) -> String {
        let (best, next) = match visible {
            [] => return "All series of this figure are hidden.".into(),
            [only] => return format!("Only {} is shown: its mean score is {}.", only.label, score(only.mean)),
            [best, next, ..] => (best, next),
        };
        let means = format!(
            "{} has the highest mean score of the series shown, {}; next comes {} with {}",
            best.label,
            score(best.mean),
            next.label,
            score(next.mean)
        );
        for series in [best, next] {
            if let Some(groups) = series.describe_groups(score) {
                return format!("{means}. But {} {groups}.", series.label);
            }
        }
        match self.against(best, Some(next)) {
            Evidence::Found(found) if !found.beats() => format!(
                "No series lies furthest right: {} and {} come out alike (95 % interval of the difference {}, {}).",
                best.with_mean(),
                next.with_mean(),
                limits(&found.interval, 1.0),
                counted(found.n, "prompt", "prompts")
            ),
            Evidence::Found(found) => match found.groups {
                Some(groups) => format!(
                    "{means}. The difference falls into two groups: {}.",
                    both(&groups, score)
                ),
                None => self.lies_furthest_right(best, next, &found),
            },
            Evidence::Pending | Evidence::Impossible => format!("{means}."),
        }
    }

    fn lies_furthest_right(&self, best: &SeriesFacts<'_>, next: &SeriesFacts<'_>, found: &Comparison) -> String {
        let (side, high, low) = (self.name.side(), score(best.mean), score(next.mean));
        let evidence = basis(found, best, next, false);
        if *best.label == BASE {
            return format!(
                "The {side} as it is ({BASE}) lies furthest right, with a mean score of {high}; of what is put in its place, {} \
                 comes nearest, with {low} ({evidence}).",
                next.label
            );
        }
        let begin = format!(
            "{} lies furthest right: put in the {side}\u{2019}s place, it gives a mean score of {high};",
            best.label
        );
        match self.find(&BASE).filter(|base| base.label != next.label) {
            Some(base) => format!(
                "{begin} second is {} with {low} ({evidence}). The {side} as it is ({BASE}) gives {}.",
                next.label,
                score(base.mean)
            ),
            None => format!("{begin} second is {} with {low} ({evidence}).", next.with_place(side)),
        }
    }

    /// The notebook's claim about the head, or what is true instead.
    pub(super) fn meaning(&self) -> String {
        let side = self.name.side();
        let (main, controls) = self.claim();
        let (Some(main), false) = (main, controls.is_empty()) else {
            let (main_id, controls_of) = self.result.claim(self.name);
            let controls: Vec<String> = controls_of.iter().map(ToString::to_string).collect();
            return match main {
                None => {
                    format!("{main_id} is not in this result, so that it does not say what the {side} must contain.")
                }
                Some(_) => format!(
                    "There is nothing in this result to hold {main_id} against: {} would be.",
                    list(&controls)
                ),
            };
        };
        for series in [main].into_iter().chain(controls.iter().copied()) {
            if let Some(groups) = series.describe_groups(score) {
                return format!(
                    "{} {groups}. Its mean is like neither, and says nothing about what the {side} must contain.",
                    series.label
                );
            }
        }
        let means: Vec<String> = controls.iter().map(|control| control.with_mean()).collect();
        let mut closest: Option<(&SeriesFacts<'_>, Comparison)> = None;
        for control in controls.iter().copied() {
            match self.against(main, Some(control)) {
                Evidence::Found(found) => {
                    if closest
                        .as_ref()
                        .is_none_or(|(_, known)| found.interval.low < known.interval.low)
                    {
                        closest = Some((control, found));
                    }
                }
                Evidence::Pending => {
                    return format!("{} is held against {} \u{2026}", main.with_mean(), list(&means));
                }
                Evidence::Impossible => {
                    return format!(
                        "{} against {}: too few prompts to say whether that is more than chance.",
                        main.with_mean(),
                        list(&means)
                    );
                }
            }
        }
        let Some((control, found)) = closest else {
            return String::new();
        };
        if let Some(groups) = found.groups {
            return format!(
                "How far {} lies above {} falls into two groups: {}. There is no one answer to what the {side} must contain.",
                main.with_mean(),
                control.with_mean(),
                both(&groups, score)
            );
        }
        let claim = self.claim_of(main, control, &found);
        let others: Vec<String> = controls
            .iter()
            .filter(|other| other.label != control.label)
            .map(|other| format!("{} gives {}", other.label, score(other.mean)))
            .collect();
        let others = match &others[..] {
            [] => String::new(),
            others => format!(" {}.", list(others)),
        };
        format!("{claim}{others}{}", self.written())
    }

    /// A sentence about the earlier head's output, with its spread.
    fn written(&self) -> String {
        let earlier = self.result.earlier_head().filter(|_| self.name.keys_fixed());
        let written = earlier.and_then(|head| Some((head, self.find(&SeriesId::EarlierHead(head))?)));
        let Some((head, written)) = written.filter(|(_, written)| written.groups.is_none()) else {
            return String::new();
        };
        let range = written.values.iter().fold((f32::MAX, f32::MIN), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        format!(
            " What head {head} writes at END gives {}, from {} to {} prompt by prompt.",
            score(written.mean),
            score(f64::from(range.0)),
            score(f64::from(range.1))
        )
    }

    /// The claim about `main`; `control` is the closest of its controls.
    fn claim_of(&self, main: &SeriesFacts<'_>, control: &SeriesFacts<'_>, found: &Comparison) -> String {
        let keys_fixed = self.name.keys_fixed();
        let noun = if self.result.is_ioi() { "name" } else { "token" };
        let evidence = basis(found, main, control, false);
        let (high, low) = (main.with_mean(), control.with_mean());
        if found.is_beaten() {
            return if keys_fixed {
                format!("The {noun} is not what counts here: {high} lies below {low} ({evidence}).")
            } else {
                format!(
                    "The token after layer 0 alone gives less than its row of W_U: {high} lies below {low} ({evidence})."
                )
            };
        }
        if !found.beats() {
            let what = if keys_fixed {
                format!("the {noun} counts")
            } else {
                "the token after layer 0 gives more than its row of W_U".to_owned()
            };
            return format!(
                "The data do not show that {what}: {high} and {low} differ no more than by chance ({evidence})."
            );
        }
        if main.mean <= 0.0 {
            return format!(
                "Neither draws attention to IO: {high} lies above {low}, but both are negative ({evidence})."
            );
        }
        let average = (found.wins as f64) < NEARLY_ALL * found.n as f64;
        let claim = match (keys_fixed, average) {
            (true, true) => format!("On average that {noun} gives more than another"),
            (true, false) => format!("That {noun} gives more than another"),
            (false, true) => "On average the token after layer 0 alone gives more than its row of W_U".to_owned(),
            (false, false) => "The token after layer 0 alone gives more than its row of W_U".to_owned(),
        };
        let claim = format!("{claim}: {high} lies above {low} ({evidence}).");
        if !keys_fixed {
            return claim;
        }
        // An effect of another name alone is not an effect of this one.
        let alone = match self.find(&BASE).filter(|base| base.has_shares() && control.mean > 0.0) {
            Some(base) if control.mean > base.mean => {
                format!(" But {} alone gives more than {}.", control.label, base.with_mean())
            }
            Some(base) if control.mean >= WORTH_SAYING * base.mean => format!(
                " But {} alone gives {} of what {BASE} gives, {}.",
                control.label,
                percent(control.mean / base.mean),
                score(base.mean)
            ),
            _ => String::new(),
        };
        format!("{claim}{alone}")
    }
}
