//! Abandons a run, and the messages about the last one, when something else is to be shown.

use super::{Active, Run, Session};
use crate::app::form::Request;
use crate::worker::ToWorker;

impl Session {
    /// Cancels the run and discards its batches; None where there is none.
    pub fn abandon(&mut self) -> Option<ToWorker> {
        let id = self.active.take()?.id;
        self.run = Run::Idle;
        self.ended();
        self.restore();
        Some(ToWorker::Cancel { id })
    }

    /// The request of the run in progress.
    pub fn active_request(&self) -> Option<Request> {
        let Active { url, analysis, .. } = self.active.as_ref()?;
        Some(Request {
            url: url.clone(),
            analysis: analysis.clone(),
        })
    }

    /// Removes the message about the end of the last run: something else is shown or selected.
    pub fn forget_outcome(&mut self) {
        if !self.run.is_active() {
            self.run = Run::Idle;
        }
    }
}

#[cfg(test)]
#[path = "abandon_tests.rs"]
mod tests;
