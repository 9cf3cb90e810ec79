//! What is tried at the pair that is shown, and recomputed: interventions, or the causal map.

use crate::analysis::Progress;
use crate::analysis::pair::{InterventionRequest, Question};
use crate::error::{Error, ErrorKind};
use crate::worker::ToWorker;

/// What is tried.
#[derive(Debug, Clone, PartialEq)]
pub enum Trial {
    /// Something in the place of what is there.
    Intervention(InterventionRequest),
    /// Every component of both sides taken out in turn.
    CausalMap,
}

/// The two kinds of [`Trial`]: each has its place on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialKind {
    /// [`Trial::Intervention`].
    Intervention,
    /// [`Trial::CausalMap`].
    CausalMap,
}

impl Trial {
    /// Its kind.
    pub const fn kind(&self) -> TrialKind {
        match self {
            Self::Intervention(_) => TrialKind::Intervention,
            Self::CausalMap => TrialKind::CausalMap,
        }
    }
}

/// What is tried beside the question about the sentence: it waits for that, and ends where another question is asked.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    active: Option<(u32, TrialKind)>,
    progress: Option<Progress>,
    error: Option<(TrialKind, Error)>,
}

impl Trials {
    /// Whether something of `kind` is awaited.
    pub fn is_active(&self, kind: TrialKind) -> bool {
        self.active.is_some_and(|(_, active)| active == kind)
    }

    /// How far it is.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why the last trial, where it was of `kind`, has failed.
    pub fn error(&self, kind: TrialKind) -> Option<&Error> {
        let (_, error) = self.error.as_ref().filter(|(of, _)| *of == kind)?;
        Some(error)
    }

    /// Tries `trial` at the pair of `question` with the model at `url` under the number `id`, in place of what is being tried: the
    /// messages to send.
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

    /// Stops it; None where nothing is tried. What has come stays.
    pub(super) fn cancel(&mut self) -> Option<ToWorker> {
        let (id, _) = self.active.take()?;
        self.progress = None;
        Some(ToWorker::Cancel { id })
    }

    /// Stops it, as another question is asked.
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

    /// Shows `error` beside what was tried.
    pub(super) fn fail(&mut self, error: Error) {
        self.progress = None;
        if let Some((_, kind)) = self.active.take()
            && error.kind != ErrorKind::Cancelled
        {
            self.error = Some((kind, error));
        }
    }

    /// Shows `error` of what could not be tried at all.
    pub(super) fn refuse(&mut self, kind: TrialKind, error: Error) {
        self.error = Some((kind, error));
    }

    /// All parts have come.
    pub(super) fn finish(&mut self) {
        self.active = None;
        self.progress = None;
    }
}
