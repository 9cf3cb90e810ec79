//! What the scores say: which series lies furthest right, and whether the token counts that the figure is about.

use super::{BASE, Seen, Told, basis, both, ends, list, score};
use crate::app::quantities::counted;
use crate::names::SeriesId;
use crate::result::{Comparison, Evidence, ResultFile};

/// Share of the prompts in which a series must be the larger one to be called so without "on average".
const NEARLY_ALL: f64 = 0.9;

impl Told<'_> {
    /// Which series lies furthest right, and how far behind the next one is.
    pub(super) fn furthest_right(&self, visible: &[&Seen<'_>]) -> String {
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
            if let Some(groups) = series.told_groups(score) {
                return format!("{means}. But {} {groups}.", series.label);
            }
        }
        match self.against(best, Some(next)) {
            Evidence::Found(found) if !found.beats() => format!(
                "No series lies furthest right: {} and {} come out alike (95 % interval of the difference {}, {}).",
                best.with_mean(),
                next.with_mean(),
                ends(&found.interval, 1.0),
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

    fn lies_furthest_right(&self, best: &Seen<'_>, next: &Seen<'_>, found: &Comparison) -> String {
        let (side, high, low) = (self.name.side(), score(best.mean), score(next.mean));
        let evidence = format!("difference {}, {}", score(found.mean), basis(found, false));
        if *best.label == BASE {
            return format!(
                "The {side} as it is ({BASE}) lies furthest right, with a mean score of {high}; of what is put in its place, {} \
                 comes nearest, with {low} ({evidence}).",
                next.label
            );
        }
        let next = match next.label {
            label if *label == BASE => format!("the {side} as it is ({BASE})"),
            label => label.to_string(),
        };
        format!(
            "{} lies furthest right: put in the {side}\u{2019}s place, it gives a mean score of {high}, and {next}, which comes \
             nearest, {low} ({evidence}).",
            best.label
        )
    }

    /// What the series say about the head: the notebook's claim, or what is true instead.
    pub(super) fn meaning(&self, result: &ResultFile) -> String {
        let side = self.name.side();
        let (main, controls) = self.claim();
        let (Some(main), false) = (main, controls.is_empty()) else {
            let (main_id, controls_of) = self.name.claim();
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
            if let Some(groups) = series.told_groups(score) {
                return format!(
                    "{} {groups}. Its mean is like neither, and says nothing about what the {side} must contain.",
                    series.label
                );
            }
        }
        let means: Vec<String> = controls.iter().map(|control| control.with_mean()).collect();
        let mut closest: Option<(&Seen<'_>, Comparison)> = None;
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
            .map(|other| other.with_mean())
            .collect();
        let held = match &others[..] {
            [] => String::new(),
            others => format!(" It was also held against {}.", list(others)),
        };
        let earlier = result.earlier_head();
        let written = earlier.and_then(|head| Some((head, self.find(&SeriesId::EarlierHead(head))?)));
        let written = match written.filter(|(_, written)| self.name.keys_fixed() && written.groups.is_none()) {
            Some((head, written)) => format!(" What head {head} writes at END gives {}.", score(written.mean)),
            None => String::new(),
        };
        format!("{claim}{held}{written}")
    }

    /// The claim about `main`, of all of whose controls `control` is the closest.
    fn claim_of(&self, main: &Seen<'_>, control: &Seen<'_>, found: &Comparison) -> String {
        let keys_fixed = self.name.keys_fixed();
        let (difference, evidence) = (score(found.mean.abs()), basis(found, false));
        let (high, low) = (main.with_mean(), control.with_mean());
        if found.is_beaten() {
            let below = format!("{high} lies {difference} below {low} ({evidence})");
            return match keys_fixed {
                true => format!("The name is not what counts here: {below}."),
                false => {
                    format!("What layer 0 makes of the token is no help here: {below}, the token\u{2019}s row alone.")
                }
            };
        }
        if !found.beats() {
            let what = match keys_fixed {
                true => "the name counts",
                false => "what layer 0 makes of the token helps",
            };
            return format!(
                "The data do not show that {what}: {high} and {low} differ no more than by chance ({evidence})."
            );
        }
        let above = format!("{high} lies {difference} above {low}");
        if main.mean <= 0.0 {
            return format!("Neither draws attention to IO: {above}, but both are negative ({evidence}).");
        }
        if !keys_fixed {
            return match (found.wins as f64) < NEARLY_ALL * found.n as f64 {
                true => format!(
                    "On average what layer 0 makes of the token counts for more than its row alone: {above} ({evidence})."
                ),
                false => {
                    format!("What layer 0 makes of the token counts for more than its row alone: {above} ({evidence}).")
                }
            };
        }
        if (found.wins as f64) < NEARLY_ALL * found.n as f64 {
            return format!("The name helps on average, but not in every prompt: {above} ({evidence}).");
        }
        match control.mean <= main.mean / 2.0 {
            true => format!("It must be that name, not just any token: {above} ({evidence})."),
            false => {
                format!("The name helps, but much of the score comes with another token too: {above} ({evidence}).")
            }
        }
    }
}
