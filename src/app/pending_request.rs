//! A request to the worker: whether it is pending, its progress, and why it failed.

use crate::analysis::Progress;
use crate::error::{Error, ErrorKind};
use crate::worker::ToWorker;

/// The last request of one kind; `T` is what it asks for.
#[derive(Debug, Clone)]
pub struct PendingRequest<T> {
    /// The request number and what is asked for; None where nothing is pending.
    active: Option<(u32, T)>,
    progress: Option<Progress>,
    error: Option<Error>,
}

impl<T> Default for PendingRequest<T> {
    fn default() -> Self {
        Self {
            active: None,
            progress: None,
            error: None,
        }
    }
}

impl<T> PendingRequest<T> {
    /// Whether an answer, or part of it, is pending.
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// What the pending request asks for.
    pub fn active(&self) -> Option<&T> {
        self.active.as_ref().map(|(_, wanted)| wanted)
    }

    /// Progress of the pending request.
    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// Why the last request has no answer.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether request number `id` is pending.
    pub(super) fn is(&self, id: u32) -> bool {
        self.active.as_ref().is_some_and(|(active, _)| *active == id)
    }

    /// Starts request number `id`. Returns the message that cancels a pending one.
    pub(super) fn start(&mut self, id: u32, wanted: T) -> Option<ToWorker> {
        let overtaken = self.cancel();
        self.error = None;
        self.active = Some((id, wanted));
        overtaken
    }

    /// Cancels the request; None where nothing is pending.
    pub(super) fn cancel(&mut self) -> Option<ToWorker> {
        let (id, _) = self.active.take()?;
        self.progress = None;
        Some(ToWorker::Cancel { id })
    }

    pub(super) fn proceed(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// The whole answer has arrived. Returns what was asked for.
    pub(super) fn finish(&mut self) -> Option<T> {
        self.progress = None;
        self.active.take().map(|(_, wanted)| wanted)
    }

    /// Ends the pending request with `error`, which is shown unless the request was cancelled. Returns what was asked for;
    /// None where nothing is pending, and nothing is shown then.
    pub(super) fn fail(&mut self, error: Error) -> Option<T> {
        let wanted = self.finish()?;
        if error.kind != ErrorKind::Cancelled {
            self.error = Some(error);
        }
        Some(wanted)
    }

    /// Shows `error` for a request that could not be sent.
    pub(super) fn refuse(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Removes the error of the last request.
    pub(super) fn forget_error(&mut self) {
        self.error = None;
    }
}
