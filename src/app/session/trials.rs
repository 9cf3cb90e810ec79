//! Interventions and causal maps at the shown pair.

use super::Session;
use crate::analysis::pair::Question;
use crate::app::trials::{Trial, TrialKind, Trials};
use crate::error::Error;
use crate::worker::ToWorker;

impl Session {
    /// The trials at the shown pair.
    pub fn trials(&self) -> &Trials {
        &self.trials
    }

    /// Starts `trial` at the pair of `question` with the model at `url`, replacing a pending trial; a pending question
    /// goes on. Returns the messages to send, in order.
    pub fn attempt(&mut self, url: &str, question: Question, trial: Trial) -> Vec<ToWorker> {
        let head_names = self.head_names.request_mut().cancel();
        let id = self.next_id();
        let start = self.trials.start(id, url, question, trial);
        head_names.into_iter().chain(start).collect()
    }

    /// Cancels the trial; None where nothing is pending.
    pub fn stop_trying(&mut self) -> Option<ToWorker> {
        self.trials.request_mut().cancel()
    }

    /// Shows `error` in place of the outcome of a trial of `kind`; everything else stays.
    pub fn refuse_trial(&mut self, kind: TrialKind, error: Error) {
        self.trials.refuse(kind, error);
    }
}
