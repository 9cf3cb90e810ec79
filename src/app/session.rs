//! The state of the page without its pixels: the shown result, the run, the worker, and everything that changes them.

mod abandon;
mod ablation;
mod hub;
mod messages;
mod questions;
mod results;
mod run_comparison;
mod trials;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ablation::Ablation;
use super::form::Request;
use super::head_names::HeadNames;
use super::library::Library;
use super::question_state::QuestionState;
pub use super::state::{Description, Origin, Run, Shown, WorkerState};
use super::trials::Trials;
use crate::analysis::{Analysis, Phase, Progress};
use crate::checkpoint::Notices;
use crate::error::{Error, ErrorKind};
use crate::result::{Recording, ResultFile};
use crate::worker::ToWorker;

/// The run in progress.
#[derive(Debug, Clone)]
struct Active {
    id: u32,
    url: String,
    analysis: Analysis,
    so_far: Option<ResultFile>,
    /// Number of batches included. With an intervention, batches count again when their changes arrive.
    batches: usize,
    /// Number of batches whose histogram values are included.
    filled: usize,
}

/// Number of finished runs to keep.
const KEPT_RUNS: usize = 8;

/// The page's state.
#[derive(Debug, Clone, Default)]
pub struct Session {
    shown: Option<Shown>,
    complete: Option<Shown>,
    recorded: Option<Shown>,
    effects: Option<Shown>,
    /// Results of runs on this page, the last one last: the "back" button shows them again.
    finished: Vec<(Request, Shown)>,
    run: Run,
    active: Option<Active>,
    describing: Option<(u32, String)>,
    description: Option<Description>,
    worker: WorkerState,
    library: Library,
    question_state: QuestionState,
    trials: Trials,
    ablation: Ablation,
    head_names: HeadNames,
    recording: Option<Arc<Recording>>,
    paused: bool,
    notices: Notices,
    /// Hub models that the user has used.
    agreed: BTreeSet<String>,
    error: Option<Error>,
    last_id: u32,
    revision: u64,
}

impl Session {
    /// The shown result. None until the recorded run has arrived.
    pub fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// The state of the last run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The state of the worker.
    pub fn worker(&self) -> WorkerState {
        self.worker
    }

    /// The stored models, as far as known.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Whether the download of the run in progress is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Notices about the last run: a retry while it waits for bytes, and that the model is not stored (until the next
    /// run).
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// The error message next to the controls.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The description of the model at `url`: only of the last one that was described.
    pub fn description_of(&self, url: &str) -> Option<&Description> {
        self.description.as_ref().filter(|known| known.url == url)
    }

    /// Whether a description of the model at `url` is pending.
    pub fn is_describing(&self, url: &str) -> bool {
        self.describing.as_ref().is_some_and(|(_, asked)| asked == url)
    }

    /// Shows `error` next to the controls; everything else stays.
    pub fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Removes the error message.
    pub fn dismiss_error(&mut self) {
        self.error = None;
    }

    /// A worker has been started.
    pub fn worker_started(&mut self) {
        self.worker = WorkerState::Starting;
        self.error = None;
    }

    /// The worker has crashed: its request has failed, what is shown stays.
    pub fn worker_lost(&mut self, cause: &str) {
        self.describing = None;
        self.ended();
        self.library.worker_lost();
        self.head_names.request_mut().finish();
        self.show_batches();
        if self.active.take().is_some() {
            self.run = Run::Failed;
        }
        self.worker = WorkerState::Lost;
        if self.question_state.request().is_active() {
            let error = Error::new(ErrorKind::Internal, cause).advice("Ask again: the worker is started anew.");
            self.question_state.fail(error);
        }
        self.trials
            .fail(Error::new(ErrorKind::Internal, cause).advice("Try again: the worker is started anew."));
        self.ablation
            .request_mut()
            .fail(Error::new(ErrorKind::Internal, cause).advice("Try again: the worker is started anew."));
        self.fail(
            Error::new(ErrorKind::Internal, cause).advice("Restart the worker or reload the page, then run again."),
        );
    }

    /// Requests a description of the model at `url`; None where it is known or pending.
    pub fn describe(&mut self, url: &str) -> Option<ToWorker> {
        if self.description_of(url).is_some() || self.is_describing(url) {
            return None;
        }
        let id = self.next_id();
        self.describing = Some((id, url.into()));
        Some(ToWorker::Describe { id, url: url.into() })
    }

    /// Starts a run. Returns the messages to send, in order; none while another run is in progress.
    pub fn start(&mut self, request: Request) -> Vec<ToWorker> {
        if self.run.is_active() {
            return Vec::new();
        }
        self.error = None;
        self.notices = Notices::default();
        self.agree(&request.url);
        let describe = self.describe(&request.url);
        let Request { url, analysis } = request;
        let id = self.next_id();
        let analyze = ToWorker::Analyze {
            id,
            url: url.clone(),
            analysis: analysis.clone(),
        };
        self.active = Some(Active {
            id,
            url,
            analysis,
            so_far: None,
            batches: 0,
            filled: 0,
        });
        self.run = Run::Opening;
        describe.into_iter().chain([analyze]).collect()
    }

    /// Cancels the run; None where there is none, or it is being cancelled already.
    pub fn cancel(&mut self) -> Option<ToWorker> {
        let id = self.active.as_ref()?.id;
        if matches!(self.run, Run::Cancelling(_)) {
            return None;
        }
        self.run = Run::Cancelling(self.run.progress().cloned());
        Some(ToWorker::Cancel { id })
    }

    /// Pauses or resumes the download of the run; None where there is none.
    pub fn pause(&mut self, pause: bool) -> Option<ToWorker> {
        if !matches!(self.run, Run::Opening | Run::Running(_)) || self.paused == pause {
            return None;
        }
        self.paused = pause;
        Some(if pause { ToWorker::Pause } else { ToWorker::Resume })
    }

    /// Requests the list of stored models.
    pub fn list_stored(&mut self) -> ToWorker {
        let id = self.next_id();
        self.library.list(id)
    }

    /// Removes a stored model, unless a run is in progress, which may be reading it.
    pub fn remove_stored(&mut self, folder: &str) -> Option<ToWorker> {
        if self.run.is_active() {
            return None;
        }
        let id = self.next_id();
        Some(self.library.remove(id, folder))
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }
}

/// Completed share of a run, from 0 to 1. None where unknown.
pub fn fraction(progress: &Progress) -> Option<f64> {
    match progress.phase {
        Phase::Opening | Phase::Prompts => None,
        Phase::Loading | Phase::Computing => Some(progress.computed.clamp(0.0, 1.0)),
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "session/recorded_tests.rs"]
mod recorded_tests;

#[cfg(test)]
#[path = "session/trials_tests.rs"]
mod trials_tests;
