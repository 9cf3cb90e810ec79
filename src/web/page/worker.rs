//! The page's messages to its worker, and its handling of the worker's messages.

use std::time::Duration;

use leptos::prelude::*;

use super::Page;
use crate::app::form::Form;
use crate::app::session::{Session, WorkerState};
use crate::web::link::{Link, WorkerEvent};
use crate::worker::{FromWorker, ToWorker};

/// How long a worker may take to start before the page reports that it does not.
const START: Duration = Duration::from_secs(60);

/// Minimum time between two redraws of the histograms during a run, so that drawing does not slow down computing.
const REDRAW: Duration = Duration::from_millis(200);

impl Page {
    /// Terminates the worker and starts another.
    pub fn restart(self) {
        self.link.set_value(None);
        self.start_worker();
        self.describe_unless_on_hub();
    }

    /// Starts another worker where the last one is gone, before the reader needs it.
    pub(super) fn revive(self) {
        if self
            .session
            .with_untracked(|session| session.worker() == WorkerState::Lost)
        {
            self.start_worker();
        }
    }

    pub(super) fn send(self, messages: impl IntoIterator<Item = ToWorker>) {
        if self.link.with_value(Option::is_none) && self.session.with_untracked(|s| s.worker() != WorkerState::Lost) {
            self.start_worker();
        }
        let engine = self.form.with_untracked(Form::engine);
        self.link.update_value(|link| {
            if let Some(link) = link {
                link.choose(engine);
                messages.into_iter().for_each(|message| link.send(&message));
            }
        });
    }

    fn start_worker(self) {
        self.links.update(|links| *links += 1);
        let number = self.links.get_untracked();
        self.session.update(Session::worker_started);
        match Link::start(move |heard| self.hear(heard)) {
            Ok(link) => {
                self.link.set_value(Some(link));
                self.give_picked();
            }
            Err(cause) => self.session.update(|session| session.worker_lost(&cause)),
        }
        let check = move || {
            let starting = self
                .session
                .with_untracked(|session| session.worker() == WorkerState::Starting);
            if starting && self.links.get_untracked() == number {
                self.hear(WorkerEvent::Lost("the worker does not start".into()));
            }
        };
        set_timeout(check, START);
    }

    fn hear(self, heard: WorkerEvent) {
        match heard {
            WorkerEvent::Lost(cause) => self.session.update(|session| session.worker_lost(&cause)),
            WorkerEvent::Message(message) => {
                let ready = matches!(*message, FromWorker::Ready);
                let described = matches!(*message, FromWorker::Described { .. });
                let batch = matches!(*message, FromWorker::Batch { .. });
                // A run may have stored weights, or deleted them.
                let ended = matches!(*message, FromWorker::Finished { .. })
                    || matches!(&*message, FromWorker::Failed { .. } if self.session.with_untracked(|s| s.run().is_active()));
                self.session.update(|session| session.receive(*message));
                if let Some(text) = self.session.try_update(Session::take_continued).flatten() {
                    self.ask_anew(text);
                }
                if batch {
                    self.redraw_soon();
                }
                if ready {
                    self.link.update_value(|link| link.iter_mut().for_each(Link::ready));
                }
                if ended {
                    self.list_stored();
                }
                if described && !self.session.with_untracked(|session| session.run().is_active()) {
                    self.bring_defaults();
                    if self.run_due.get_value() {
                        self.run();
                    }
                }
            }
        }
    }

    /// Shows the batches that have arrived, at most once per [`REDRAW`].
    fn redraw_soon(self) {
        if !self.redraw_due.get_value() {
            self.redraw_due.set_value(true);
            self.session.update(Session::show_batches);
            let redraw = move || {
                self.redraw_due.set_value(false);
                self.session.update(Session::show_batches);
            };
            set_timeout(redraw, REDRAW);
        }
    }
}
