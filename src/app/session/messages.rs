//! The messages of the worker.

use super::{Description, Run, Session, WorkerState};
use crate::error::{Error, ErrorKind};
use crate::model::{Config, ModelCard};
use crate::worker::FromWorker;

impl Session {
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
            FromWorker::Progress { id, progress } if self.question_state.request().is(id) => {
                self.question_state.request_mut().proceed(progress)
            }
            FromWorker::Progress { id, progress } if self.trials.request().is(id) => {
                self.trials.request_mut().proceed(progress)
            }
            FromWorker::Progress { id, progress } if self.ablation.request().is(id) => {
                self.ablation.request_mut().proceed(progress)
            }
            FromWorker::Answer { id, part } if self.ablation.request().is(id) => self.ablation_answered(*part),
            FromWorker::Answered { id } if self.ablation.request().is(id) => _ = self.ablation.request_mut().finish(),
            FromWorker::Failed { id, error } if self.ablation.request().is(id) => {
                _ = self.ablation.request_mut().fail(error)
            }
            FromWorker::Answer { id, part } if self.question_state.request().is(id) || self.trials.request().is(id) => {
                let note = self.note_of(&part.model.source);
                self.revision += 1;
                let is_held = part.substituted().is_some();
                self.question_state.part(self.revision, *part, note);
                if is_held {
                    self.compare_with_run();
                }
            }
            FromWorker::Specials { id, texts } if self.question_state.request().is(id) => {
                self.question_state.specials(texts)
            }
            FromWorker::Continued { id, text } if self.question_state.request().is(id) => {
                self.question_state.continued(text)
            }
            FromWorker::Answered { id } if self.question_state.request().is(id) => self.question_state.finish(),
            FromWorker::Answered { id } if self.trials.request().is(id) => _ = self.trials.request_mut().finish(),
            FromWorker::HeadRoles { id, heads } => self.head_names.receive(id, heads),
            FromWorker::Failed { id, error } if self.question_state.request().is(id) => self.question_state.fail(error),
            FromWorker::Failed { id, error } if self.trials.request().is(id) => self.trials.fail(error),
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

    pub(super) fn is_active(&self, id: u32) -> bool {
        self.active.as_ref().is_some_and(|active| active.id == id)
    }

    /// Whether `id` is the request of the run, question, trial or ablation in progress.
    pub(super) fn is_heard(&self, id: u32) -> bool {
        self.is_active(id)
            || self.question_state.request().is(id)
            || self.trials.request().is(id)
            || self.ablation.request().is(id)
    }

    pub(super) fn described(&mut self, id: u32, config: Config, card: Option<ModelCard>) {
        if let Some((_, url)) = self.describing.take_if(|(asked, _)| *asked == id) {
            self.description = Some(Description { url, config, card });
        }
    }

    /// The run has ended: no retries are pending; the notice about storage stays.
    pub(super) fn ended(&mut self) {
        self.paused = false;
        self.notices.retry = None;
    }

    pub(super) fn failed(&mut self, id: u32, error: Error) {
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
