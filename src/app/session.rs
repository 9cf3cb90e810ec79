//! The state of the page without its pixels: the shown result, the run, the worker, and everything that changes them.

mod abandon;
mod ablation;
mod hub;
mod questions;
mod run_comparison;
mod trials;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ablation::Ablation;
use super::form::Request;
use super::head_names::HeadNames;
use super::library::Library;
use super::partial;
use super::question_state::QuestionState;
pub use super::state::{Description, Origin, Run, Shown, WorkerState};
use super::trials::Trials;
use crate::analysis::{Analysis, BatchValues, Phase, Progress};
use crate::checkpoint::Notices;
use crate::error::{Error, ErrorKind};
use crate::model::Config;
use crate::model::ModelCard;
use crate::result::{ModelInfo, Recording, ResultFile};
use crate::worker::{FromWorker, ToWorker};

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

    /// Whether a complete result is hidden behind the batches of a stopped run.
    pub fn can_restore(&self) -> bool {
        !self.run.is_active() && self.complete.is_some() && self.shown.as_ref().is_some_and(Shown::is_partial)
    }

    /// Shows the recorded run, which has just arrived, unless something else is shown already.
    pub fn recorded_arrived(&mut self, result: ResultFile) {
        let shown = self.stamp(Origin::Recorded, result, None);
        self.recorded = Some(shown.clone());
        if self.shown.is_none() {
            self.show_complete(shown);
        }
    }

    /// The recorded run, once it has arrived.
    pub fn recorded(&self) -> Option<&Shown> {
        self.recorded.as_ref()
    }

    /// The recorded effects of heads have arrived.
    pub fn effects_arrived(&mut self, result: ResultFile) {
        self.effects = Some(self.stamp(Origin::Recorded, result, None));
    }

    /// The recorded effects of heads, once they have arrived.
    pub fn effects(&self) -> Option<&Shown> {
        self.effects.as_ref()
    }

    /// Shows the recorded run again, unless a run is in progress.
    pub fn show_recorded(&mut self) {
        if let (false, Some(recorded)) = (self.run.is_active(), self.recorded.clone()) {
            self.show_complete(recorded);
        }
    }

    /// Shows the result of the run `request` on this page. False where it has not been kept, or another run is in
    /// progress.
    pub fn show_run(&mut self, request: &Request) -> bool {
        let found = self.finished.iter().find(|(known, _)| known == request);
        match found.filter(|_| !self.run.is_active()) {
            Some((_, shown)) => {
                self.show_complete(shown.clone());
                true
            }
            None => false,
        }
    }

    /// Shows a result from the file `name`.
    pub fn opened(&mut self, name: &str, result: ResultFile) {
        self.error = None;
        let shown = self.stamp(Origin::File(name.into()), result, None);
        self.show_complete(shown);
    }

    /// Shows the last complete result again.
    pub fn restore(&mut self) {
        if self.can_restore() {
            self.shown = self.complete.clone();
        }
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
        self.head_names.lost();
        self.show_batches();
        if self.active.take().is_some() {
            self.run = Run::Failed;
        }
        self.worker = WorkerState::Lost;
        if self.question_state.is_active() {
            let error = Error::new(ErrorKind::Internal, cause).advice("Ask again: the worker is started anew.");
            self.question_state.fail(error);
        }
        self.trials
            .fail(Error::new(ErrorKind::Internal, cause).advice("Try again: the worker is started anew."));
        self.ablation
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

    /// Handles a message of the worker. Answers to old requests are ignored.
    pub fn receive(&mut self, message: FromWorker) {
        if let FromWorker::Answered { id } | FromWorker::Continued { id, .. } | FromWorker::Failed { id, .. } = &message
            && self.is_heard(*id)
        {
            // There are no more retries.
            self.notices.retry = None;
        }
        match message {
            FromWorker::Ready => self.worker = WorkerState::Ready,
            FromWorker::Described { id, config, card } => self.described(id, config, card),
            FromWorker::Progress { id, progress } if self.is_active(id) => match &mut self.run {
                Run::Cancelling(known) => *known = Some(progress),
                run => *run = Run::Running(progress),
            },
            FromWorker::Notices { id, notices } if self.is_heard(id) => self.notices = notices,
            FromWorker::Batch { id, index, values } if self.is_active(id) => self.batch(index, &values),
            FromWorker::Finished { id, result } if self.is_active(id) => self.finished(*result),
            FromWorker::Progress { id, progress } if self.question_state.is_asking(id) => {
                self.question_state.proceed(progress)
            }
            FromWorker::Progress { id, progress } if self.trials.is_trying(id) => self.trials.proceed(progress),
            FromWorker::Progress { id, progress } if self.ablation.is_asking(id) => self.ablation.proceed(progress),
            FromWorker::Answer { id, part } if self.ablation.is_asking(id) => self.ablation_answered(*part),
            FromWorker::Answered { id } if self.ablation.is_asking(id) => self.ablation.finish(),
            FromWorker::Failed { id, error } if self.ablation.is_asking(id) => self.ablation.fail(error),
            FromWorker::Answer { id, part } if self.question_state.is_asking(id) || self.trials.is_trying(id) => {
                let note = self.note_of(&part.model.source);
                self.revision += 1;
                let is_held = part.substituted().is_some();
                self.question_state.part(self.revision, *part, note);
                if is_held {
                    self.compare_with_run();
                }
            }
            FromWorker::Specials { id, texts } if self.question_state.is_asking(id) => {
                self.question_state.specials(texts)
            }
            FromWorker::Continued { id, text } if self.question_state.is_asking(id) => {
                self.question_state.continued(text)
            }
            FromWorker::Answered { id } if self.question_state.is_asking(id) => self.question_state.finish(),
            FromWorker::Answered { id } if self.trials.is_trying(id) => self.trials.finish(),
            FromWorker::HeadRoles { id, heads } => self.head_names.receive(id, heads),
            FromWorker::Failed { id, error } if self.question_state.is_asking(id) => self.question_state.fail(error),
            FromWorker::Failed { id, error } if self.trials.is_trying(id) => self.trials.fail(error),
            FromWorker::Failed { id, error } => self.failed(id, error),
            FromWorker::Panicked { message } => self.worker_lost(&match self.worker {
                WorkerState::Starting => format!("the worker can't start: {message}"),
                _ => format!("the worker broke down ({message})"),
            }),
            FromWorker::Stored {
                id,
                models,
                space,
                unavailable,
            } => {
                self.library.answered(id);
                self.library.receive(models, space, unavailable);
            }
            FromWorker::Progress { .. }
            | FromWorker::Notices { .. }
            | FromWorker::Batch { .. }
            | FromWorker::Finished { .. }
            | FromWorker::Specials { .. }
            | FromWorker::Answer { .. }
            | FromWorker::Answered { .. }
            | FromWorker::Continued { .. } => {}
        }
    }

    fn is_active(&self, id: u32) -> bool {
        self.active.as_ref().is_some_and(|active| active.id == id)
    }

    /// Whether `id` is the request of the run, question, trial or ablation in progress.
    fn is_heard(&self, id: u32) -> bool {
        self.is_active(id)
            || self.question_state.is_asking(id)
            || self.trials.is_trying(id)
            || self.ablation.is_asking(id)
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    fn stamp(&mut self, origin: Origin, result: ResultFile, note: Option<String>) -> Shown {
        self.revision += 1;
        Shown {
            revision: self.revision,
            origin,
            result: Arc::new(result),
            note,
            url: None,
        }
    }

    fn show_complete(&mut self, shown: Shown) {
        self.forget_outcome();
        self.complete = Some(shown.clone());
        self.shown = Some(shown);
        self.compare_with_run();
    }

    fn described(&mut self, id: u32, config: Config, card: Option<ModelCard>) {
        if let Some((_, url)) = self.describing.take_if(|(asked, _)| *asked == id) {
            self.description = Some(Description { url, config, card });
        }
    }

    fn batch(&mut self, index: usize, values: &BatchValues) {
        let Some(mut active) = self.active.take() else { return };
        if active.so_far.is_none() {
            active.so_far = self.empty_result(&active);
        }
        if let Some(so_far) = active.so_far.as_mut().filter(|_| active.batches == index) {
            partial::append(so_far, values);
            active.batches += 1;
            active.filled += usize::from(values.changes.is_none());
        }
        self.active = Some(active);
    }

    /// Shows the batches that have arrived since the last call. Separate from [`Session::receive`], so that the page
    /// decides how often it redraws.
    pub fn show_batches(&mut self) {
        let Some(active) = &self.active else { return };
        let Some(so_far) = &active.so_far else { return };
        let done = active.batches;
        let batches = active.analysis.prompts.batches();
        // With an intervention, each batch goes through the model twice.
        let batches = batches * if active.analysis.intervention.is_some() { 2 } else { 1 };
        let origin = Origin::Partial { done, batches };
        if done > 0 && self.shown.as_ref().is_none_or(|shown| shown.origin != origin) {
            let (so_far, note) = (so_far.clone(), self.note_of(&active.url));
            let url = Some(active.url.clone());
            let shown = self.stamp(origin, so_far, note);
            self.shown = Some(Shown { url, ..shown });
        }
    }

    fn empty_result(&self, active: &Active) -> Option<ResultFile> {
        let known = self.description_of(&active.url)?;
        let last = active.url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = known.card.as_ref().map_or(last, |card| card.name.as_str()).to_string();
        let model = ModelInfo {
            name,
            source: active.url.clone(),
            dtype: None,
            notes: Vec::new(),
        };
        Some(partial::empty(model, known.config.clone(), &active.analysis))
    }

    fn note_of(&self, url: &str) -> Option<String> {
        let known = self.description_of(url)?;
        known.card.as_ref().map(|card| card.note.clone())
    }

    fn finished(&mut self, result: ResultFile) {
        let active = self.active.take();
        let note = active.as_ref().and_then(|active| self.note_of(&active.url));
        self.ended();
        let mut shown = self.stamp(Origin::Live, result, note);
        if let Some(Active { url, analysis, .. }) = active {
            shown.url = Some(url.clone());
            let request = Request { url, analysis };
            self.finished.retain(|(known, _)| *known != request);
            self.finished.push((request, shown.clone()));
            if self.finished.len() > KEPT_RUNS {
                self.finished.remove(0);
            }
        }
        self.run = Run::Idle;
        self.show_complete(shown);
        self.run = Run::Finished;
    }

    /// The run has ended: no retries are pending; the notice about storage stays.
    fn ended(&mut self) {
        self.paused = false;
        self.notices.retry = None;
    }

    fn failed(&mut self, id: u32, error: Error) {
        if self.head_names.failed(id, &error) {
            return;
        }
        if let Some((_, url)) = self.describing.take_if(|(asked, _)| *asked == id) {
            // A run of the same model reports the same error, and a question gives way when the run is cancelled.
            let run_says_it = self.active.as_ref().is_some_and(|active| active.url == url);
            if !run_says_it && error.kind != ErrorKind::Cancelled {
                self.fail(error);
            }
        } else if self.is_active(id) {
            self.show_batches();
            self.ended();
            let active = self.active.take();
            let done = active.map_or(0, |active| active.filled);
            if error.kind == ErrorKind::Cancelled {
                self.run = Run::Cancelled(done);
            } else {
                self.run = Run::Failed;
                self.fail(error);
            }
        } else if self.library.answered(id) {
            self.library.failed(error.cause.clone());
            // The panel reports it where it has nothing to list.
            if self.library.none_stored().is_none() {
                self.fail(error);
            }
        }
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
