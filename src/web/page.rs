//! The state that the parts of the page share, and the operations on it.

mod models;
mod picking;
mod questions;
mod recorded;
mod running;
mod worker;

use leptos::prelude::*;
use web_sys::File;

use super::address_bar::AddressBar;
use super::document;
use super::evidence::Comparisons;
use super::figures::Linked;
use super::link::Link;
use super::scheduling::Latest;
use super::theme;
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, Field, HEAD, Setting};
use crate::app::address::{Address, Tab};
use crate::app::form::Form;
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
    /// The result on the screen; changes only when the result does.
    pub shown: Memo<Option<Shown>>,
    /// The view of the figures.
    pub view: RwSignal<View>,
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
            shown,
            splits: Memo::new(move |_| {
                let splits = shown.with(|shown| Some(shown.as_ref()?.result.splits()));
                splits.unwrap_or_default()
            }),
            linked: Linked::new(),
            view,
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

    /// Sets the view, and drops a pending choice.
    pub fn show_as(self, view: View) {
        self.choosing.forget();
        self.view.set(view);
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
                    .update(|form| form.set_heads_of_model(&known.config, known.card.as_ref()));
            }
        });
    }
}
