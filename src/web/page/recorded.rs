//! Recorded files: the run over many prompts, sentences, effects of heads; and the story that uses them.

use std::sync::Arc;

use leptos::prelude::*;

use super::Page;
use crate::analysis::pair::Question;
use crate::app::address::Tab;
use crate::app::form::ModelChoice;
use crate::app::sentence_lines::SentenceLines;
use crate::app::session::{Origin, Session, Shown};
use crate::app::steps::StoryStep;
use crate::error::{Error, ErrorKind, Result};
use crate::figure::{Effect, View};
use crate::result::{Recording, ResultFile};
use crate::web::asset_paths::{EFFECTS, RECORDED, SENTENCES, url_at_hand};
use crate::web::evidence::Comparisons;
use crate::web::scheduling::Latest;
use crate::web::{document, first_view};

/// Fetches the file at `place` and parses it with `read`.
async fn fetched<T>(place: &str, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    document::fetch(place).await.and_then(|bytes| read(&bytes))
}

impl Page {
    /// Shows the recorded run once it is loaded.
    pub fn load_recorded(self) {
        leptos::task::spawn_local(async move {
            let read = fetched(RECORDED, ResultFile::from_json).await;
            self.session.update(|session| match read {
                Ok(result) => session.recorded_arrived(result),
                Err(error) => {
                    first_view::uncover();
                    session.fail(error);
                }
            });
        });
    }

    /// Loads the recorded effects of heads, unless they are loaded.
    pub fn load_effects(self) {
        if self.session.with_untracked(|session| session.effects().is_some()) {
            return;
        }
        leptos::task::spawn_local(async move {
            // Without the file the story lacks the steps that use it.
            if let Ok(result) = fetched(EFFECTS, ResultFile::from_json).await {
                self.session.update(|session| session.effects_arrived(result));
            }
        });
    }

    /// Loads the recorded sentences, unless they are loaded, and answers the current question from them.
    pub fn load_sentences(self) {
        let there = self.session.with_untracked(|session| !session.sentences().is_empty());
        if there || self.sentences_awaited.get_untracked() {
            return;
        }
        self.sentences_awaited.set(true);
        leptos::task::spawn_local(async move {
            let read = fetched(SENTENCES, Recording::from_json).await;
            self.sentences_awaited.set(false);
            let asked = self.tab.get_untracked() == Tab::Sentence;
            let recorded = self.form.with_untracked(|form| form.model == ModelChoice::Recorded);
            match read {
                Ok(recording) => {
                    self.session.update(|session| session.sentences_arrived(recording));
                    if recorded && asked {
                        self.ask();
                    }
                }
                // A failure is reported only where the recording is to answer.
                Err(error) if recorded => {
                    first_view::uncover();
                    self.session.update(|session| session.fail_asking(error));
                }
                Err(_) => {}
            }
        });
    }

    /// A copy of the page's state with `shown` and `view` as result and view: changes to its figures do not affect this
    /// page.
    pub(super) fn with_result(self, shown: Memo<Option<Shown>>, view: View) -> Self {
        let view = RwSignal::new(view);
        Self {
            shown,
            splits: Memo::new(|_| Vec::new()),
            view,
            comparisons: Comparisons::new(),
            choosing: Latest::new(),
            linked: self.linked.detached(),
            ..self
        }
    }

    /// A copy of the page's state with the recorded run as result.
    pub fn of_recorded_run(self) -> Self {
        let session = self.session;
        let shown = Memo::new(move |_| session.with(|session| session.recorded().cloned()));
        self.with_result(shown, View::default())
    }

    /// A copy of the page's state with the recorded effects of heads as result, showing `effect`.
    pub fn of_recorded_effects(self, effect: Effect) -> Self {
        let session = self.session;
        let shown = Memo::new(move |_| session.with(|session| session.effects().cloned()));
        let mut view = View::default();
        view.sentence.effect = effect;
        self.with_result(shown, view)
    }

    /// The question about the sentence of the story; None until the recording is loaded.
    pub fn story_question(self) -> Option<Question> {
        self.session.with(|session| {
            let sentence = session.sentences().first()?;
            Some(Question {
                text: sentence.text.clone(),
                prepend_bos: sentence.prepend_bos,
                ..Question::default()
            })
        })
    }

    /// A copy of the page's state with the recorded answer about the story's sentence as result.
    pub fn of_story(self) -> Self {
        let session = self.session;
        let shown = Memo::new(move |_| {
            let question = self.story_question()?;
            let result = session.with(|session| session.recorded_answer(&question))?;
            Some(Shown {
                revision: 0,
                origin: Origin::Recorded,
                result: Arc::new(result),
                note: None,
                url: None,
            })
        });
        self.with_result(shown, View::default())
    }

    /// Removes a head of the chosen model, as the recorded ablation does.
    pub fn try_ablation(self) {
        match self.form.with_untracked(url_at_hand) {
            Some(url) => {
                self.agree();
                let messages = self.session.try_update(|session| session.try_ablation(&url));
                self.send(messages.unwrap_or_default());
            }
            None => {
                let error = Error::new(ErrorKind::Request, "no model is chosen that can be read")
                    .advice("Choose one under \u{201c}Your sentence\u{201d}, and correct its address.");
                self.session.update(|session| session.refuse_ablation(error));
            }
        }
    }

    /// Cancels the ablation.
    pub fn stop_ablation(self) {
        let message = self.session.try_update(Session::stop_ablation).flatten();
        self.send(message);
    }

    /// Opens the story at `step`.
    pub fn open_story(self, step: StoryStep) {
        self.step.set(Some(step));
        self.tab.set(Tab::Story);
    }

    /// Leaves the story at `step`: opens its sentence as the reader's own on the recorded numbers, with `change`
    /// applied to the question.
    pub fn leave_story(self, step: StoryStep, change: impl FnOnce(&mut Question)) {
        self.leave_for(step, ModelChoice::Recorded, change);
    }

    /// Leaves the story at `step`: opens its sentence with the chosen model, and tries the preset `id`.
    pub fn leave_to_try(self, step: StoryStep, id: &'static str) {
        let model = match self.form.with_untracked(|form| form.model) {
            ModelChoice::Recorded => ModelChoice::Bundled,
            chosen => chosen,
        };
        // The model's heads differ from the recorded ones, so the default head is found by the model.
        self.leave_for(step, model, |question| question.head = None);
        self.preset_due.set(Some(id));
    }

    fn leave_for(self, step: StoryStep, model: ModelChoice, change: impl FnOnce(&mut Question)) {
        let Some(mut question) = untrack(|| self.story_question()) else {
            return;
        };
        question.head = self.session.with_untracked(|session| {
            let effects = session.effects().and_then(|shown| shown.result.head_effects());
            step.head(session.sentences().first()?, effects)
        });
        change(&mut question);
        if self.form.with_untracked(|form| form.model) != model {
            self.choose(model);
        }
        self.preset_due.set(None);
        self.lines.set(SentenceLines::of(&[], &question.text));
        self.view.update(|view| view.sentence.side = step.side());
        self.step.set(Some(step));
        self.question.set(question);
        self.open_tab(Tab::Sentence);
    }
}
