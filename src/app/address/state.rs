//! The state that an address describes.

use std::collections::BTreeMap;

use super::model::Model;
use super::tab::Tab;
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, Group, HEAD, SETTINGS, Setting};
use crate::app::form::{Form, PromptChoice};
use crate::app::steps::StoryStep;
use crate::figure::View;
use crate::names::Head;

/// Which prompts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Prompts {
    /// Those of the IOI dataset.
    #[default]
    Ioi,
    /// The user's own; None where the link does not contain them.
    Own(Option<String>),
}

/// The page's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Address {
    /// The model.
    pub model: Model,
    /// The prompts.
    pub prompts: Prompts,
    /// The settings that differ from the model's defaults, by key, in the form of [`Setting::checked`].
    pub settings: BTreeMap<&'static str, String>,
    /// The question about a sentence, if that part of the page is open; then settings and prompts are omitted.
    pub question: Option<Question>,
    /// All entered sentences, if there are several; that of `question` is one of them.
    pub lines: Vec<String>,
    /// The step of the story. With a question, the step from which the sentence was opened; without one, the story is
    /// open.
    pub step: Option<StoryStep>,
    /// The view options of figures and page.
    pub view: View,
}

impl Address {
    /// The beginning of the story: the meaning of an empty query.
    pub fn story() -> Self {
        Self {
            step: Some(StoryStep::default()),
            ..Self::default()
        }
    }

    /// The open part of the page.
    pub fn tab(&self) -> Tab {
        match (&self.question, self.step) {
            (Some(_), _) => Tab::Sentence,
            (None, Some(_)) => Tab::Story,
            (None, None) => Tab::Prompts,
        }
    }

    /// The model's form with default settings.
    pub(super) fn usual(&self) -> Form {
        let mut form = Form::default();
        form.choose(self.model.choice());
        form.prompts = match self.prompts {
            Prompts::Ioi => PromptChoice::Ioi,
            Prompts::Own(_) => PromptChoice::Own,
        };
        form
    }

    /// Removes settings with default values, except heads: those of the model's card would replace them.
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

    /// Both heads, if both are set.
    pub(super) fn heads(&self) -> Option<(Head, Head)> {
        let head = |setting: &Setting| self.settings.get(setting.key)?.parse().ok();
        Some((head(&HEAD)?, head(&EARLIER_HEAD)?))
    }
}
