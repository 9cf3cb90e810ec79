//! Interventions and causal maps at the shown pair.

use crate::analysis::Progress;
use crate::analysis::pair::{InterventionRequest, Question};
use crate::error::{Error, ErrorKind};
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
    active: Option<(u32, TrialKind)>,
    progress: Option<Progress>,
    error: Option<(TrialKind, Error)>,
}

impl Trials {
    /// Whether a trial of `kind` is pending.
    pub fn is_active(&self, kind: TrialKind) -> bool {
        self.active.is_some_and(|(_, active)| active == kind)
    }

    /// Progress of the trial.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why the last trial has failed, if it was of `kind`.
    pub fn error(&self, kind: TrialKind) -> Option<&Error> {
        let (_, error) = self.error.as_ref().filter(|(failed, _)| *failed == kind)?;
        Some(error)
    }

    /// Starts `trial` at the pair of `question` with the model at `url` under request number `id`, replacing a pending
    /// trial. Returns the messages to send.
    pub(super) fn start(&mut self, id: u32, url: &str, question: Question, trial: Trial) -> Vec<ToWorker> {
        let overtaken = self.cancel();
        self.error = None;
        self.active = Some((id, trial.kind()));
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

    /// Cancels the trial; None where nothing is pending. Parts that have arrived stay.
    pub(super) fn cancel(&mut self) -> Option<ToWorker> {
        let (id, _) = self.active.take()?;
        self.progress = None;
        Some(ToWorker::Cancel { id })
    }

    /// Cancels the trial because another question is asked.
    pub(super) fn overtake(&mut self) -> Option<ToWorker> {
        self.error = None;
        self.cancel()
    }

    pub(super) fn is_trying(&self, id: u32) -> bool {
        self.active.is_some_and(|(active, _)| active == id)
    }

    pub(super) fn proceed(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// Shows `error` at the trial's place.
    pub(super) fn fail(&mut self, error: Error) {
        self.progress = None;
        if let Some((_, kind)) = self.active.take()
            && error.kind != ErrorKind::Cancelled
        {
            self.error = Some((kind, error));
        }
    }

    /// Shows `error` for a trial that could not be started.
    pub(super) fn refuse(&mut self, kind: TrialKind, error: Error) {
        self.error = Some((kind, error));
    }

    /// All parts have arrived.
    pub(super) fn finish(&mut self) {
        self.active = None;
        self.progress = None;
    }
}
