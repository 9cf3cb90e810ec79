//! The choice of model and prompts, and the stored models.

use super::{OWN_PROMPTS, Page};
use crate::analysis::settings::CSV;
use crate::app::form::{Form, ModelChoice, PromptChoice};
use crate::app::session::Session;
use crate::web::asset_paths::url_of;
use crate::web::document;
use crate::web::scheduling::after_frame;
use leptos::prelude::*;

/// Lower bound of the bytes that a model of the hub takes in storage; the page itself, cached for offline use, takes
/// less.
const MIN_MODEL: f64 = 32e6;

impl Page {
    /// Chooses the model, and requests its description.
    pub fn choose(self, model: ModelChoice) {
        self.form.update(|form| form.choose(model));
        self.session.update(Session::dismiss_error);
        self.session.update(Session::forget_outcome);
        self.asked.set(false);
        self.run_due.set_value(false);
        // Directions are numbered by model.
        self.question.update(|question| question.direction = None);
        match model {
            ModelChoice::Recorded => self.session.update(Session::show_recorded),
            ModelChoice::Bundled => {
                self.bring_defaults();
                self.describe();
                // Head and tokens of the question belong to the previous model.
                self.question
                    .update(|question| (question.head, question.src, question.down) = (None, None, None));
            }
            ModelChoice::Hub | ModelChoice::Url | ModelChoice::Picked => {
                self.form.update(Form::set_heads_of_hub_model);
                self.describe_unless_on_hub();
            }
        }
    }

    /// Chooses whose prompts a run is on. The recorded run has fixed prompts, so the bundled model replaces it.
    pub fn choose_prompts(self, prompts: PromptChoice) {
        self.form.update(|form| form.prompts = prompts);
        self.session.update(Session::dismiss_error);
        if prompts == PromptChoice::Own && self.form.with_untracked(|form| form.model) == ModelChoice::Recorded {
            self.choose(ModelChoice::Bundled);
        }
    }

    /// Uses prompts that were read from a file.
    pub fn take_prompts(self, text: String, is_csv: bool) {
        self.form.update(|form| {
            form.own = text;
            form.set(&CSV, if is_csv { "1" } else { "0" });
        });
        self.choose_prompts(PromptChoice::Own);
        self.controls_open.set(true);
        after_frame(|| after_frame(|| document::focus(OWN_PROMPTS)));
    }

    /// Chooses a stored model, by the URL that it was downloaded from.
    pub fn use_stored(self, location: &str) {
        self.form.update(|form| form.url = location.into());
        self.choose(ModelChoice::Url);
    }

    /// Requests the list of stored models.
    pub fn list_stored(self) {
        let message = self.session.try_update(Session::list_stored);
        self.send(message);
    }

    /// The same, but only where the list is not known and the browser stores enough bytes for a model, so that no
    /// worker is started to return an empty list.
    pub fn list_stored_if_any(self) {
        if self
            .session
            .with_untracked(|session| session.library().models().is_some())
        {
            return;
        }
        leptos::task::spawn_local(async move {
            if document::stored_bytes().await.is_some_and(|bytes| bytes >= MIN_MODEL) {
                self.list_stored();
            }
        });
    }

    /// Removes a stored model.
    pub fn remove_stored(self, folder: &str) {
        let message = self
            .session
            .try_update(|session| session.remove_stored(folder))
            .flatten();
        self.send(message);
    }

    /// Absolute URL of the chosen model's folder; None where the form's model is the recorded one or invalid.
    pub(super) fn chosen_url(self) -> Option<String> {
        self.form.with_untracked(url_of)
    }

    /// The same, tracked.
    pub fn tracked_url(self) -> Option<String> {
        self.form.with(url_of)
    }
}
