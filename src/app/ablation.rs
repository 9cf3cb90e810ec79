//! The ablation of one head, the last step of the story: recorded numbers compared with those of the selected model.

use super::pending_request::PendingRequest;
use super::state::Shown;
use crate::analysis::HeadEffectsSection;
use crate::analysis::pair::TargetText;
use crate::figure::Effect;
use crate::figure::sentence_words::name;
use crate::names::Head;
use crate::quantities::{counted, number};
use crate::worker::ToWorker;

/// The ablation on the selected model: request and answer.
#[derive(Debug, Clone, Default)]
pub struct Ablation {
    request: PendingRequest<()>,
    found: Option<Shown>,
}

impl Ablation {
    /// The request.
    pub fn request(&self) -> &PendingRequest<()> {
        &self.request
    }

    /// The last answer: a result with the section `head_effects`.
    pub fn found(&self) -> Option<&Shown> {
        self.found.as_ref()
    }

    /// Requests the ablation from the model at `url` under request number `id`, replacing a pending request. Returns
    /// the messages to send.
    pub(super) fn start(&mut self, id: u32, url: &str, prompt: TargetText) -> Vec<ToWorker> {
        let overtaken = self.request.start(id, ());
        let ablate_head = ToWorker::AblateHead {
            id,
            url: url.to_owned(),
            prompt,
        };
        overtaken.into_iter().chain([ablate_head]).collect()
    }

    pub(super) fn request_mut(&mut self) -> &mut PendingRequest<()> {
        &mut self.request
    }

    pub(super) fn answered(&mut self, found: Shown) {
        self.found = Some(found);
    }
}

/// The effect of ablating one head on a difference of two logits: of one prompt, or means over prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AblationEffect {
    /// The head.
    pub head: Head,
    /// The head's direct effect.
    pub own: f64,
    /// The difference without the ablation.
    pub before: f64,
    /// The difference with the ablation, recomputed.
    pub after: f64,
    /// Sum of the changes in the direct effects of all other heads.
    pub others: f64,
    /// Number of prompts.
    pub prompts: usize,
}

impl AblationEffect {
    /// The effect in `section`; None where it has no ablation.
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

    /// The difference if only the head's direct effect were missing.
    pub fn predicted(&self) -> f64 {
        self.before - self.own
    }

    /// The change of the difference.
    pub fn cost(&self) -> f64 {
        self.before - self.after
    }
}

/// A row of the table that compares the recording with the selected model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AblationRow {
    /// Name of the quantity.
    pub name: &'static str,
    /// The recorded value.
    pub recorded: String,
    /// The value of the selected model.
    pub live: String,
}

/// The rows of that table.
pub fn lines(recorded: &AblationEffect, live: &AblationEffect) -> Vec<AblationRow> {
    let text = |name, text_of: &dyn Fn(&AblationEffect) -> String| AblationRow {
        name,
        recorded: text_of(recorded),
        live: text_of(live),
    };
    let value = |name, value_of: fn(&AblationEffect) -> f64| text(name, &|taken| number(value_of(taken), 2));
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

/// A description of the numbers for a number of prompts: "means of 8 prompts", "of one sentence".
pub fn basis(prompts: usize) -> String {
    match prompts {
        1 => "of one sentence".into(),
        _ => format!("means of {}", counted(prompts, "prompt", "prompts")),
    }
}

/// A description of `section` for the model called `model`.
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
        // The other heads make up for most of the missing effect.
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
