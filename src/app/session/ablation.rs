//! The recorded lesson on the model at hand.

use super::{Origin, Session};
use crate::analysis::pair::TargetText;
use crate::app::ablation::Ablation;
use crate::error::Error;
use crate::result::ResultFile;
use crate::worker::ToWorker;

impl Session {
    /// What the model at hand makes of the recorded lesson.
    pub fn ablation(&self) -> &Ablation {
        &self.ablation
    }

    /// The prompt of the recorded lesson that the model at hand is asked: the first; None until the recording has arrived.
    pub fn ablation_prompt(&self) -> Option<TargetText> {
        let prompt = self.effects()?.result.head_effects()?.prompts.first()?;
        Some(TargetText {
            text: prompt.text.clone(),
            answer: prompt.answer.clone(),
            other: prompt.other.clone(),
        })
    }

    /// Takes a head of the model at `url` out, as in the recorded lesson: the messages to send, in order; none until that has arrived.
    pub fn try_ablation(&mut self, url: &str) -> Vec<ToWorker> {
        let Some(prompt) = self.ablation_prompt() else {
            return Vec::new();
        };
        let head_names = self.head_names.give_way();
        let id = self.next_id();
        let start = self.ablation.start(id, url, prompt);
        head_names.into_iter().chain(start).collect()
    }

    /// Stops that; None where nothing is asked.
    pub fn stop_ablation(&mut self) -> Option<ToWorker> {
        self.ablation.cancel()
    }

    /// Shows `error` in place of what the model at hand would say.
    pub fn refuse_ablation(&mut self, error: Error) {
        self.ablation.refuse(error);
    }

    /// The answer has come.
    pub(super) fn ablation_answered(&mut self, result: ResultFile) {
        let note = self.note_of(&result.model.source);
        let found = self.stamp(Origin::Live, result, note);
        self.ablation.answered(found);
    }
}

#[cfg(test)]
#[path = "ablation_tests.rs"]
mod tests;
