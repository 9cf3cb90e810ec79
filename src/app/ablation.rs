//! The recorded lesson, one head taken out, beside the same on the model at hand.

use super::state::Shown;
use crate::analysis::pair::TargetText;
use crate::analysis::{HeadEffectsSection, Progress};
use crate::error::{Error, ErrorKind};
use crate::figure::Effect;
use crate::figure::sentence_words::name;
use crate::names::Head;
use crate::quantities::{counted, number};
use crate::worker::ToWorker;

/// What is asked of the model at hand, and what it has answered.
#[derive(Debug, Clone, Default)]
pub struct Ablation {
    active: Option<u32>,
    progress: Option<Progress>,
    error: Option<Error>,
    found: Option<Shown>,
}

impl Ablation {
    /// Whether an answer is awaited.
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// How far it is.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why there is none.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The last answer: a result with the section `head_effects`.
    pub fn found(&self) -> Option<&Shown> {
        self.found.as_ref()
    }

    /// Asks it of the model at `url` under the number `id`, in place of what is being asked: the messages to send.
    pub(super) fn start(&mut self, id: u32, url: &str, prompt: TargetText) -> Vec<ToWorker> {
        let overtaken = self.cancel();
        self.error = None;
        self.active = Some(id);
        let ablate_head = ToWorker::AblateHead {
            id,
            url: url.to_owned(),
            prompt,
        };
        overtaken.into_iter().chain([ablate_head]).collect()
    }

    /// Stops it; None where nothing is asked. What has come stays.
    pub(super) fn cancel(&mut self) -> Option<ToWorker> {
        let id = self.active.take()?;
        self.progress = None;
        Some(ToWorker::Cancel { id })
    }

    pub(super) fn is_asking(&self, id: u32) -> bool {
        self.active == Some(id)
    }

    pub(super) fn proceed(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    pub(super) fn answered(&mut self, found: Shown) {
        self.found = Some(found);
    }

    pub(super) fn finish(&mut self) {
        self.active = None;
        self.progress = None;
    }

    /// Shows `error` of what could not be asked at all.
    pub(super) fn refuse(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Shows `error` where it was awaited; an answer of before stays.
    pub(super) fn fail(&mut self, error: Error) {
        let awaited = self.active.is_some();
        self.finish();
        if awaited && error.kind != ErrorKind::Cancelled {
            self.error = Some(error);
        }
    }
}

/// What taking out one head does to a difference of two logits: of one prompt, or means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AblationEffect {
    /// The head.
    pub head: Head,
    /// What it adds by itself.
    pub own: f64,
    /// The difference as it is.
    pub before: f64,
    /// The difference without the head, recomputed.
    pub after: f64,
    /// By how much the direct effects of all other heads change together.
    pub others: f64,
    /// Prompts that these are means of.
    pub prompts: usize,
}

impl AblationEffect {
    /// What `section` holds of it; None where no head is taken out.
    pub fn of(section: &HeadEffectsSection) -> Option<Self> {
        let without = section.without.as_ref()?;
        let [direct, left] = [Effect::Direct, Effect::Without].map(|effect| effect.by_head(section));
        let own = direct.iter().find(|(head, _)| *head == without.head)?.1;
        let pairs = direct.iter().zip(&left).filter(|((head, _), _)| *head != without.head);
        let changes = pairs.map(|((_, before), (_, after))| f64::from(*after) - f64::from(*before));
        Some(Self {
            head: without.head,
            own: f64::from(own),
            before: f64::from(section.logit_difference),
            after: f64::from(without.logit_difference),
            others: changes.sum(),
            prompts: section.prompts.len(),
        })
    }

    /// What would be left if nothing else changed.
    pub fn predicted(&self) -> f64 {
        self.before - self.own
    }

    /// What it costs to take it out.
    pub fn cost(&self) -> f64 {
        self.before - self.after
    }
}

/// A line of the table in which the recording and the model at hand stand beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AblationRow {
    /// What it is.
    pub name: &'static str,
    /// Its value in the recording.
    pub recorded: String,
    /// Its value at hand.
    pub live: String,
}

/// The lines of that table.
pub fn lines(recorded: &AblationEffect, live: &AblationEffect) -> Vec<AblationRow> {
    let text = |name, of: &dyn Fn(&AblationEffect) -> String| AblationRow {
        name,
        recorded: of(recorded),
        live: of(live),
    };
    let value = |name, of: fn(&AblationEffect) -> f64| text(name, &|taken| number(of(taken), 2));
    vec![
        text("Numbers are", &|taken| basis(taken.prompts)),
        text("Head taken out", &|taken| taken.head.to_string()),
        value("Difference of the two logits", |taken| taken.before),
        value("The head adds by itself", |taken| taken.own),
        value("Should be left without it", AblationEffect::predicted),
        value("Is left, recomputed", |taken| taken.after),
        value("So it costs", AblationEffect::cost),
        value("Other heads\u{2019} direct effects change by", |taken| taken.others),
    ]
}

/// What numbers over `prompts` prompts are: "means of 8 prompts", "of one sentence".
pub fn basis(prompts: usize) -> String {
    match prompts {
        1 => "of one sentence".into(),
        _ => format!("means of {}", counted(prompts, "prompt", "prompts")),
    }
}

/// What is seen in `section`, the lesson on the model called `model`, in sentences that name it.
pub fn description(model: &str, section: &HeadEffectsSection) -> Option<String> {
    let taken = AblationEffect::of(section)?;
    let prompt = section.prompts.first()?;
    let AblationEffect { head, own, .. } = taken;
    let names = format!("{} and {}", name(&prompt.answer), name(&prompt.other));
    if own <= 0.0 {
        return Some(format!(
            "No head of {model} adds to the difference of the logits of {names} here by itself: there is nothing to take out."
        ));
    }
    let (cost, value) = (taken.cost(), |value: f64| number(value, 2));
    let meant = if cost < own {
        format!("The rest of the model makes up for {} of it.", value(own - cost))
    } else {
        "Nothing makes up for it here.".into()
    };
    Some(format!(
        "{model}, asked the same: of all its heads {head} adds most to the difference of the logits of {names}, {}, so that {} should be left of {}. Recomputed with its \
         output at the last token set to 0 it is {}: taking it out costs {}. {meant} That is one sentence; how far others differ is not known from it.",
        value(own),
        value(taken.predicted()),
        value(taken.before),
        value(taken.after),
        value(cost),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::result::ResultFile;

    fn recorded() -> HeadEffectsSection {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-head-effects.json");
        ResultFile::from_json(bytes).unwrap().head_effects().unwrap().clone()
    }

    #[test]
    fn the_recorded_ablation_is_in_the_table() {
        let taken = AblationEffect::of(&recorded()).unwrap();
        assert_eq!((taken.head, taken.prompts), (Head::new(9, 9), 8));
        for (found, expected) in [
            (taken.own, 2.98545),
            (taken.predicted(), 0.56643),
            (taken.after, 2.9172),
            (taken.cost(), 0.63467),
        ] {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
        // What others change is most of what is made up for.
        assert!(
            taken.others > 1.5 && taken.others < taken.own - taken.cost() + 0.5,
            "{}",
            taken.others
        );
        let live = AblationEffect {
            head: Head::new(2, 1),
            prompts: 1,
            ..taken
        };
        let lines = lines(&taken, &live);
        assert_eq!(
            (&*lines[0].recorded, &*lines[0].live),
            ("means of 8 prompts", "of one sentence")
        );
        assert_eq!((&*lines[1].recorded, &*lines[1].live), ("9.9", "2.1"));
        assert_eq!(lines[6].recorded, "0.63");
    }

    #[test]
    fn what_is_said_of_the_model_at_hand_holds_of_its_numbers() {
        let mut section = recorded();
        section.prompts.truncate(1);
        let said = description("Tiny", &section).unwrap();
        for part in [
            "Tiny, asked the same",
            "9.9 adds most",
            "2.99",
            "costs 0.63",
            "makes up for 2.35",
            "one sentence",
        ] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        section.without.as_mut().unwrap().logit_difference = 0.2;
        let said = description("Tiny", &section).unwrap();
        assert!(said.contains("costs 3.35. Nothing makes up for it"), "{said}");
        section.direct = crate::analysis::Array::new(vec![12, 12], vec![-1.0; 144]).unwrap();
        let said = description("Tiny", &section).unwrap();
        assert!(said.starts_with("No head of Tiny adds"), "{said}");
        section.without = None;
        assert_eq!(
            (description("Tiny", &section), AblationEffect::of(&section)),
            (None, None)
        );
    }
}
