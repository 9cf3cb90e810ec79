//! What is tried at the pair that is shown.

use super::Session;
use crate::analysis::pair::Question;
use crate::app::trials::{Trial, TrialKind, Trials};
use crate::error::Error;
use crate::worker::ToWorker;

impl Session {
    /// What is tried at the pair that is shown.
    pub fn trials(&self) -> &Trials {
        &self.trials
    }

    /// Tries `trial` at the pair of `question` with the model at `url`, in place of what is being tried; a question that is being
    /// answered goes on. The messages to send, in order.
    pub fn attempt(&mut self, url: &str, question: Question, trial: Trial) -> Vec<ToWorker> {
        let head_names = self.head_names.give_way();
        let id = self.next_id();
        let start = self.trials.start(id, url, question, trial);
        head_names.into_iter().chain(start).collect()
    }

    /// Stops trying; None where nothing is tried.
    pub fn stop_trying(&mut self) -> Option<ToWorker> {
        self.trials.cancel()
    }

    /// Shows `error` in place of what a trial of `kind` would find; what else is shown stays.
    pub fn refuse_trial(&mut self, kind: TrialKind, error: Error) {
        self.trials.refuse(kind, error);
    }
}
