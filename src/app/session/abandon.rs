//! What becomes of a run, and of what is said of the last one, when something else is to be shown.

use super::{Active, Run, Session};
use crate::app::form::Request;
use crate::worker::ToWorker;

impl Session {
    /// Gives up the run, and what it has found so far, for what is to be shown now; None when there is none.
    pub fn abandon(&mut self) -> Option<ToWorker> {
        let id = self.active.take()?.id;
        self.run = Run::Idle;
        self.ended();
        self.restore();
        Some(ToWorker::Cancel { id })
    }

    /// The run that is under way.
    pub fn active_request(&self) -> Option<Request> {
        let Active { url, analysis, .. } = self.active.as_ref()?;
        Some(Request {
            url: url.clone(),
            analysis: analysis.clone(),
        })
    }

    /// Says no more how the last run ended: something else is shown or chosen.
    pub fn forget_outcome(&mut self) {
        if !self.run.is_active() {
            self.run = Run::Idle;
        }
    }
}

#[cfg(test)]
#[path = "abandon_tests.rs"]
mod tests;
