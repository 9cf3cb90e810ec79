//! Interventions and causal maps at the shown pair.

use super::pending_request::PendingRequest;
use crate::analysis::pair::{InterventionRequest, Question};
use crate::error::Error;
use crate::worker::ToWorker;

/// A trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Trial {
    /// Interventions.
    Intervention(InterventionRequest),
    /// The causal map: every component of both sides removed one at a time.
    CausalMap,
}

/// The kinds of [`Trial`]. Each has its own place on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialKind {
    /// [`Trial::Intervention`].
    Intervention,
    /// [`Trial::CausalMap`].
    CausalMap,
}

impl Trial {
    /// The kind.
    pub const fn kind(&self) -> TrialKind {
        match self {
            Self::Intervention(_) => TrialKind::Intervention,
            Self::CausalMap => TrialKind::CausalMap,
        }
    }
}

/// The pending trial. It waits for the question about the sentence, and is cancelled when another question is asked.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    request: PendingRequest<TrialKind>,
    /// The kind of the trial that the error is about.
    failed: Option<TrialKind>,
}

impl Trials {
    /// The request.
    pub fn request(&self) -> &PendingRequest<TrialKind> {
        &self.request
    }

    pub(super) fn request_mut(&mut self) -> &mut PendingRequest<TrialKind> {
        &mut self.request
    }

    /// Whether a trial of `kind` is pending.
    pub fn is_active(&self, kind: TrialKind) -> bool {
        self.request.active() == Some(&kind)
    }

    /// Why the last trial has failed, if it was of `kind`.
    pub fn error(&self, kind: TrialKind) -> Option<&Error> {
        self.request.error().filter(|_| self.failed == Some(kind))
    }

    /// Starts `trial` at the pair of `question` with the model at `url` under request number `id`, replacing a pending
    /// trial. Returns the messages to send.
    pub(super) fn start(&mut self, id: u32, url: &str, question: Question, trial: Trial) -> Vec<ToWorker> {
        let overtaken = self.request.start(id, trial.kind());
        let url = url.to_owned();
        let message = match trial {
            Trial::Intervention(intervening) => ToWorker::Intervene {
                id,
                url,
                question,
                intervening,
            },
            Trial::CausalMap => ToWorker::CausalMap { id, url, question },
        };
        overtaken.into_iter().chain([message]).collect()
    }

    /// Cancels the trial because another question is asked.
    pub(super) fn overtake(&mut self) -> Option<ToWorker> {
        self.request.forget_error();
        self.request.cancel()
    }

    /// Shows `error` at the place of the pending trial.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed = self.request.fail(error).or(self.failed);
    }

    /// Shows `error` for a trial that could not be started.
    pub(super) fn refuse(&mut self, kind: TrialKind, error: Error) {
        self.failed = Some(kind);
        self.request.refuse(error);
    }
}
