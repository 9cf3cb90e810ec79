//! Runs: started, paused, canceled, and shown again.

use super::{CONTROLS_TOGGLE, Page};
use crate::app::form::{Form, ModelChoice};
use crate::app::session::Session;
use crate::web::asset_paths::request_of;
use crate::web::document;
use leptos::prelude::*;

impl Page {
    /// Pauses or resumes the download.
    pub fn pause(self, pause: bool) {
        let message = self.session.try_update(|session| session.pause(pause)).flatten();
        self.send(message);
    }

    /// Requests the description of the chosen model, if its address is valid.
    pub fn describe(self) {
        let url = self.chosen_url();
        if let Some(message) = url.and_then(|url| self.session.try_update(|session| session.describe(&url)).flatten()) {
            self.send([message]);
        }
    }

    /// The same, except for a model of the hub that is not stored: the hub is not asked before the reader agrees.
    pub fn describe_unless_on_hub(self) {
        let url = self.chosen_url();
        let is_stored = self.session.with_untracked(|session| {
            let mut models = session.library().models().into_iter().flatten();
            models.any(|model| Some(&model.location) == url.as_ref())
        });
        if is_stored || !self.form.with_untracked(Form::is_on_hub) {
            self.describe();
        }
    }

    /// Runs the chosen model as soon as its description arrives.
    pub fn run_when_described(self) {
        self.run_due.set_value(true);
        self.describe();
    }

    /// Shows the result again that these settings gave on this page. Returns false where there is none.
    pub fn show_again(self) -> bool {
        if self.form.with_untracked(|form| form.model) == ModelChoice::Recorded {
            self.session.update(Session::show_recorded);
            return true;
        }
        let request = self.form.with_untracked(request_of);
        request.is_ok_and(|request| self.session.try_update(|session| session.show_run(&request)) == Some(true))
    }

    /// Checks the controls and starts a run.
    pub fn run(self) {
        self.run_due.set_value(false);
        match self.form.with_untracked(request_of) {
            Ok(request) => {
                self.bar.ran(self.address());
                self.asked.set(false);
                self.fold_controls();
                let messages = self
                    .session
                    .try_update(|session| session.start(request))
                    .unwrap_or_default();
                self.send(messages);
            }
            Err(error) => self.session.update(|session| session.fail(error)),
        }
    }

    /// Folds the controls where they cover the figures, and moves the keyboard's focus out of them.
    pub(super) fn fold_controls(self) {
        if self.controls_open.get_untracked() {
            self.controls_open.set(false);
            document::focus(CONTROLS_TOGGLE);
        }
    }

    /// Asks the run to stop.
    pub fn cancel(self) {
        if let Some(message) = self.session.try_update(Session::cancel).flatten() {
            self.send([message]);
        }
    }

    /// Cancels the current run where the form now describes another one.
    pub fn abandon_other(self) {
        let active = self.session.with_untracked(Session::active_request);
        if active.is_some() && active != self.form.with_untracked(request_of).ok() {
            let message = self.session.try_update(Session::abandon).flatten();
            self.send(message);
        }
    }
}
