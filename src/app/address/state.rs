//! What an address holds.

use std::collections::BTreeMap;

use super::model::Model;
use super::tab::Tab;
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, Group, HEAD, SETTINGS, Setting};
use crate::app::form::{Form, PromptChoice};
use crate::app::steps::StoryStep;
use crate::figure::View;
use crate::names::Head;

/// Whose prompts the address names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Prompts {
    /// Those of the IOI dataset.
    #[default]
    Ioi,
    /// The reader's own; None where the link does not hold them.
    Own(Option<String>),
}

/// The page's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Address {
    /// Which model.
    pub model: Model,
    /// Whose prompts.
    pub prompts: Prompts,
    /// The settings that are not as they suit the model, by their keys; as [`Setting::checked`] writes them.
    pub settings: BTreeMap<&'static str, String>,
    /// What is asked of a sentence, where that part of the page is open; settings and prompts are then left out.
    pub question: Option<Question>,
    /// All sentences that are at hand, where there are several: that of `question` is one of them.
    pub lines: Vec<String>,
    /// The step of the story: where no sentence is looked at, the story is open at it; else the sentence was begun from it.
    pub step: Option<StoryStep>,
    /// How the figures and the page are shown.
    pub view: View,
}

impl Address {
    /// Where the story is open at its beginning: what an address without a query means.
    pub fn story() -> Self {
        Self {
            step: Some(StoryStep::default()),
            ..Self::default()
        }
    }

    /// Which part of the page is open.
    pub fn tab(&self) -> Tab {
        match (&self.question, self.step) {
            (Some(_), _) => Tab::Sentence,
            (None, Some(_)) => Tab::Story,
            (None, None) => Tab::Prompts,
        }
    }

    /// The form of the model before anything is set.
    pub(super) fn usual(&self) -> Form {
        let mut form = Form::default();
        form.choose(self.model.choice());
        form.prompts = match self.prompts {
            Prompts::Ioi => PromptChoice::Ioi,
            Prompts::Own(_) => PromptChoice::Own,
        };
        form
    }

    /// Leaves out what is as usual, but for heads: those of the model's card would take their place.
    pub(super) fn drop_usual(&mut self) {
        let usual = self.usual();
        for setting in SETTINGS.iter().filter(|setting| setting.group != Group::Heads) {
            if self
                .settings
                .get(setting.key)
                .is_some_and(|text| text == usual.text(setting))
            {
                self.settings.remove(setting.key);
            }
        }
    }

    /// Both heads, where both are set.
    pub(super) fn heads(&self) -> Option<(Head, Head)> {
        let head = |setting: &Setting| self.settings.get(setting.key)?.parse().ok();
        Some((head(&HEAD)?, head(&EARLIER_HEAD)?))
    }
}
