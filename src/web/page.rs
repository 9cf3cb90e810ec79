//! The state that the parts of the page share, and the operations on it.

mod picking;
mod questions;
mod recorded;
mod worker;

use leptos::prelude::*;
use web_sys::File;

use super::address_bar::AddressBar;
use super::asset_paths::{request_of, url_of};
use super::document;
use super::evidence::Comparisons;
use super::figures::Linked;
use super::link::Link;
use super::scheduling::{Latest, after_frame, after_frames_of};
use super::theme;
use crate::analysis::pair::Question;
use crate::analysis::settings::{CSV, EARLIER_HEAD, Field, HEAD, Setting};
use crate::app::address::{Address, Tab};
use crate::app::form::{Form, ModelChoice, PromptChoice};
use crate::app::sentence_lines::SentenceLines;
use crate::app::session::{Session, Shown};
use crate::app::steps::StoryStep;
use crate::app::sweep_maps::SweepMaps;
use crate::error::{Error, ErrorKind, Result};
use crate::figure::View;
use crate::names::SplitBy;
use crate::result::ResultFile;

/// Id of the button that folds and unfolds the controls.
pub const CONTROLS_TOGGLE: &str = "controls-toggle";
/// Id of the field with the reader's own prompts.
pub const OWN_PROMPTS: &str = "own-prompts";
/// Files from the reader's disk, each with its path in what was picked.
pub type Paths = Vec<(String, File)>;

/// Lower bound of the bytes that a model of the hub takes in storage; the page itself, cached for offline use, takes
/// less.
const MIN_MODEL: f64 = 32e6;

/// The id of the control of `setting`, which is its `data-testid`, too.
pub fn control_id(setting: &Setting) -> String {
    let name = setting.option.trim_start_matches("no-");
    match setting.field {
        Field::Switch { .. } => format!("{name}-checkbox"),
        _ => format!("{name}-input"),
    }
}

/// The state that the parts of the page share; cheap to copy.
#[derive(Clone, Copy)]
pub struct Page {
    /// The shown result, and the state of the worker's jobs.
    pub session: RwSignal<Session>,
    /// The values of the form's controls.
    pub form: RwSignal<Form>,
    /// The values of the form that the rest of the page shows: updated one frame after `form`.
    pub deferred_form: RwSignal<Form>,
    /// The result on the screen; changes only when the result does.
    pub shown: Memo<Option<Shown>>,
    /// The view of the figures, as the controls say.
    pub view: RwSignal<View>,
    /// The view that the figures show: updated one frame after `view`.
    pub deferred_view: RwSignal<View>,
    /// The comparisons that the descriptions of the result are based on.
    pub comparisons: Comparisons,
    /// The ways to split the result's prompts by kind: computed once for all figures.
    pub splits: Memo<Vec<SplitBy>>,
    /// Debounces the choice of a heatmap.
    pub choosing: Latest,
    /// State that the figures share while the reader explores them.
    pub linked: Linked,
    /// Whether the theme is dark.
    pub dark: Memo<bool>,
    /// The address bar.
    pub bar: AddressBar,
    /// The open tab.
    pub tab: RwSignal<Tab>,
    /// The step of the story that is open, or was left for a sentence.
    pub step: RwSignal<Option<StoryStep>>,
    /// The question about the reader's sentence.
    pub question: RwSignal<Question>,
    /// The id of the preset intervention that is tried as soon as the question is answered.
    pub preset_due: RwSignal<Option<&'static str>>,
    /// The lines of the sentence field: the chosen sentence and the other ones.
    pub lines: RwSignal<SentenceLines>,
    /// Whether the recorded sentences are being loaded.
    pub sentences_awaited: RwSignal<bool>,
    /// Whether the page's link describes a run that is not shown yet.
    pub asked: RwSignal<bool>,
    /// The opened sweep.
    pub sweep: RwSignal<Option<SweepMaps>>,
    /// Whether the controls are unfolded, in a narrow window.
    pub controls_open: RwSignal<bool>,
    link: StoredValue<Option<Link>, LocalStorage>,
    links: RwSignal<u32>,
    /// Files from the reader's disk, and the address by which the worker knows them.
    picked: StoredValue<Option<(String, Vec<File>)>, LocalStorage>,
    picks: StoredValue<u32>,
    /// The folders of the models among files that were picked together, where there are several.
    pub candidates: RwSignal<Vec<String>>,
    candidate_files: StoredValue<Vec<Vec<File>>, LocalStorage>,
    redraw_due: StoredValue<bool>,
    /// Whether the chosen model is run as soon as its description arrives.
    run_due: StoredValue<bool>,
}

impl Page {
    /// A page without a result.
    pub fn new() -> Self {
        let session = RwSignal::new(Session::default());
        let (form, view) = (RwSignal::new(Form::default()), RwSignal::new(View::default()));
        let shown = Memo::new(move |_| session.with(|session| session.shown().cloned()));
        Self {
            session,
            form,
            deferred_form: after_frames_of(form),
            shown,
            splits: Memo::new(move |_| {
                let splits = shown.with(|shown| Some(shown.as_ref()?.result.splits()));
                splits.unwrap_or_default()
            }),
            linked: Linked::new(),
            view,
            deferred_view: after_frames_of(view),
            comparisons: Comparisons::new(),
            choosing: Latest::new(),
            dark: theme::is_dark(view),
            bar: AddressBar::new(),
            tab: RwSignal::new(Tab::default()),
            step: RwSignal::new(None),
            question: RwSignal::new(Question::default()),
            preset_due: RwSignal::new(None),
            lines: RwSignal::new(SentenceLines::default()),
            sentences_awaited: RwSignal::new(false),
            asked: RwSignal::new(false),
            sweep: RwSignal::new(None),
            controls_open: RwSignal::new(false),
            link: StoredValue::new_local(None),
            links: RwSignal::new(0),
            picked: StoredValue::new_local(None),
            picks: StoredValue::new(0),
            candidates: RwSignal::new(Vec::new()),
            candidate_files: StoredValue::new_local(Vec::new()),
            redraw_due: StoredValue::new(false),
            run_due: StoredValue::new(false),
        }
    }

    /// A copy of the page's state with a view of its own that starts with this result: changes to its figures do not
    /// affect this page.
    pub fn detached(self) -> Self {
        let shown = self.shown.get_untracked();
        Self {
            session: RwSignal::new(Session::default()),
            splits: self.splits,
            ..self.with_result(Memo::new(move |_| shown.clone()), View::default())
        }
    }

    /// `text` with position names replaced by those of the shown result: see [`ResultFile::with_position_names`].
    pub fn in_words(self, text: impl Into<String> + 'static) -> impl Fn() -> String + Send + Sync + 'static {
        let text = text.into();
        move || {
            let description = self
                .shown
                .with(|shown| Some(shown.as_ref()?.result.with_position_names(&*text)));
            description.unwrap_or_else(|| text.clone())
        }
    }

    /// Sets the view at once, without waiting for a frame or a pending choice.
    pub fn show_as(self, view: View) {
        self.choosing.forget();
        self.deferred_view.set(view.clone());
        self.view.set(view);
    }

    /// Sets the form at once, without waiting for a frame.
    pub fn fill_in(self, form: Form) {
        self.deferred_form.set(form.clone());
        self.form.set(form);
    }

    /// The address of the current form and view.
    pub fn address(self) -> Address {
        let tab = self.tab.get_untracked();
        let question = (tab == Tab::Sentence).then(|| self.question.get_untracked());
        let step = self.step.get_untracked();
        let step = match tab {
            Tab::Story => Some(step.unwrap_or_default()),
            Tab::Sentence => step,
            Tab::Prompts => None,
        };
        self.form.with_untracked(|form| {
            let address = self
                .view
                .with_untracked(|view| Address::of(form, view, question.as_ref(), step));
            self.lines.with_untracked(|lines| address.with_lines(lines.texts()))
        })
    }

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
                self.form.update(Form::fit_known);
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

    /// Pauses or resumes the download.
    pub fn pause(self, pause: bool) {
        let message = self.session.try_update(|session| session.pause(pause)).flatten();
        self.send(message);
    }

    /// Absolute URL of the chosen model's folder; None where the form's model is the recorded one or invalid.
    fn chosen_url(self) -> Option<String> {
        self.form.with_untracked(url_of)
    }

    /// The same for the deferred form.
    pub fn deferred_url(self) -> Option<String> {
        self.deferred_form.with(url_of)
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
    fn fold_controls(self) {
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

    /// Shows a result file, or the error.
    pub fn open(self, name: &str, read: Result<ResultFile>) {
        // The tab that shows results and errors.
        self.tab.set(Tab::Prompts);
        self.session.update(|session| match read {
            Ok(result) => session.opened(name, result),
            Err(error) => session.fail(error),
        });
    }

    /// Shows an error: no file can be opened during a run.
    pub fn refuse_drop(self) {
        let error = Error::new(
            ErrorKind::Request,
            "what was dropped was not opened: a run was under way",
        )
        .advice("Cancel the run, or wait for its end, and drop it again.");
        // The tab that shows runs and errors.
        self.tab.set(Tab::Prompts);
        self.session.update(|session| session.fail(error));
    }

    /// Sets the heads of the form to the chosen model's default heads.
    fn bring_defaults(self) {
        // A field that the reader is editing must not change.
        if [HEAD, EARLIER_HEAD]
            .iter()
            .map(control_id)
            .any(|id| document::has_focus(&id))
        {
            return;
        }
        let url = self.chosen_url().unwrap_or_default();
        self.session.with_untracked(|session| {
            if let Some(known) = session.description_of(&url) {
                self.form
                    .update(|form| form.describe(&known.config, known.card.as_ref()));
            }
        });
    }
}
