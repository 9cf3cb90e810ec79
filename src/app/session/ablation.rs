//! The ablation of the story on the selected model.

use super::{Origin, Session};
use crate::analysis::pair::TargetText;
use crate::app::ablation::Ablation;
use crate::error::Error;
use crate::result::ResultFile;
use crate::worker::ToWorker;

impl Session {
    /// Request and answer of the ablation.
    pub fn ablation(&self) -> &Ablation {
        &self.ablation
    }

    /// The recorded prompt that the selected model is asked about: the first one; None until the recording has arrived.
    pub fn ablation_prompt(&self) -> Option<TargetText> {
        let prompt = self.effects()?.result.head_effects()?.prompts.first()?;
        Some(TargetText {
            text: prompt.text.clone(),
            answer: prompt.answer.clone(),
            other: prompt.other.clone(),
        })
    }

    /// Ablates a head of the model at `url`, as in the recording. Returns the messages to send, in order; none until
    /// the recording has arrived.
    pub fn try_ablation(&mut self, url: &str) -> Vec<ToWorker> {
        let Some(prompt) = self.ablation_prompt() else {
            return Vec::new();
        };
        let head_names = self.head_names.request_mut().cancel();
        let id = self.next_id();
        let start = self.ablation.start(id, url, prompt);
        head_names.into_iter().chain(start).collect()
    }

    /// Cancels that; None where nothing is pending.
    pub fn stop_ablation(&mut self) -> Option<ToWorker> {
        self.ablation.request_mut().cancel()
    }

    /// Shows `error` in place of an answer.
    pub fn refuse_ablation(&mut self, error: Error) {
        self.ablation.request_mut().refuse(error);
    }

    /// The answer has arrived.
    pub(super) fn ablation_answered(&mut self, result: ResultFile) {
        let note = self.note_of(&result.model.source);
        let found = self.stamp(Origin::Live, result, note);
        self.ablation.answered(found);
    }
}

#[cfg(test)]
#[path = "ablation_tests.rs"]
mod tests;
