//! Questions about the reader's sentence.

use leptos::prelude::*;

use super::Page;
use crate::analysis::pair::Question;
use crate::app::address::Tab;
use crate::app::form::ModelChoice;
use crate::app::guided_examples::GuidedExample;
use crate::app::session::Session;
use crate::app::trials::{Trial, TrialKind};
use crate::error::{Error, ErrorKind};
use crate::forward::Sampling;
use crate::prompts::PromptSet;
use crate::result::ResultFile;

impl Page {
    /// A copy of the page's state whose result is the last answer about a sentence, for the figures of the sentence.
    pub fn of_sentence(self) -> Self {
        let session = self.session;
        Self {
            shown: Memo::new(move |_| session.with(|session| session.question_state().shown().cloned())),
            ..self
        }
    }

    /// Opens a tab.
    pub fn open_tab(self, tab: Tab) {
        self.tab.set(tab);
        if tab == Tab::Sentence {
            self.ask();
        }
    }

    /// Changes the question and asks it. Values that were found by default (head, query, key) are made explicit.
    pub fn ask_with(self, change: impl FnOnce(&mut Question)) {
        if self.tab.get_untracked() == Tab::Story {
            self.leave_story(self.step.get_untracked().unwrap_or_default(), change);
            return;
        }
        let found = self.session.with_untracked(|session| {
            let result = &session.question_state().shown()?.result;
            let section = result.attention()?;
            let sentence = (result.prompts.first()?.text.clone(), prepend_bos(result));
            Some((sentence, section.head, section.dest, section.src))
        });
        self.question.update(|question| {
            let same = |(text, bos): &(String, bool)| *text == question.text && *bos == question.prepend_bos;
            if let Some((_, head, dest, src)) = found.filter(|(sentence, ..)| same(sentence)) {
                // Where only the head is explicit, the key is its most attended token.
                question.head.get_or_insert(head);
                question.dest.get_or_insert(dest);
                question.src.get_or_insert(src);
            }
            // The opened components belong to one pair.
            let before = (question.text.clone(), question.head, question.dest, question.src);
            change(question);
            if before != (question.text.clone(), question.head, question.dest, question.src) {
                question.down = None;
            }
            // Directions are numbered by head.
            if before.1 != question.head {
                question.direction = None;
            }
        });
        self.ask();
    }

    /// Asks about another sentence: from its last token, with head and key chosen by default.
    pub fn ask_anew(self, text: String) {
        self.question.update(|question| {
            *question = Question {
                text,
                // A step of the story keeps its head for any sentence.
                head: question.head.filter(|_| self.step.get_untracked().is_some()),
                prepend_bos: question.prepend_bos,
                special_as_text: question.special_as_text,
                normalization: question.normalization,
                effects: question.effects,
                writes: question.writes,
                lens: question.lens,
                directions: question.directions,
                ..Question::default()
            };
        });
        self.ask();
    }

    /// Lets the model continue the sentence after the query by at most `count` tokens.
    pub fn go_on(self, count: usize, sampling: Sampling) {
        let Some(url) = self.chosen_url() else { return };
        self.agree();
        let mut question = self.question.get_untracked();
        let found = self.session.with_untracked(|session| {
            let result = &session.question_state().shown()?.result;
            Some(result.attention()?.dest)
        });
        question.dest = question.dest.or(found);
        let messages = self
            .session
            .try_update(|session| session.go_on(&url, question, (count, sampling)));
        self.send(messages.unwrap_or_default());
    }

    /// Records that the reader has asked the chosen model for something: from now on it may be fetched from the hub.
    pub fn agree(self) {
        self.revive();
        if let Some(url) = self.chosen_url() {
            self.session.update(|session| session.agree(&url));
        }
    }

    /// Asks the current question, unless it is answered or empty, or no model may be asked: then the recording answers.
    /// Nothing is requested from the hub before the reader agrees.
    pub fn ask(self) {
        let mut question = self.question.get_untracked();
        if question.text.trim().is_empty() {
            return;
        }
        question.measures = self.view.with_untracked(|view| view.sentence.measure.is_of_sentence());
        question.layer = self.view.with_untracked(|view| view.sentence.layer);
        if self.form.with_untracked(|form| form.model) == ModelChoice::Recorded {
            self.ask_recorded(question);
            return;
        }
        let Some(url) = self.chosen_url() else {
            let error = Error::new(ErrorKind::Request, "no model is chosen that can be read")
                .advice("Choose one above, and correct its address.");
            self.session.update(|session| session.fail_asking(error));
            return;
        };
        if !self.session.with_untracked(|session| session.may_ask(&url)) {
            // Earlier jobs of the model and their errors are obsolete.
            self.session.update(Session::forget_asking_error);
            return self.stop_asking();
        }
        question.substituted = Some(self.session.with_untracked(|session| session.substituting(&url)));
        if self
            .session
            .with_untracked(|session| session.question_state().answers(&url, &question))
        {
            return;
        }
        self.revive();
        let messages = self.session.try_update(|session| session.ask(&url, question));
        self.send(messages.unwrap_or_default());
    }

    /// Measures the names of the chosen model's heads.
    pub fn name_heads(self) {
        let Some(url) = self.chosen_url() else { return };
        self.agree();
        let message = self.session.try_update(|session| session.name_heads(&url));
        self.send(message);
    }

    /// Answers `question` from the recorded sentences, as far as they are loaded.
    fn ask_recorded(self, question: Question) {
        if self
            .session
            .with_untracked(|session| session.question_state().answers("", &question))
        {
            return;
        }
        let messages = self.session.try_update(|session| session.ask_recorded(question));
        // The worker is not started only to cancel a job.
        if let Some(messages) = messages.filter(|messages| !messages.is_empty()) {
            self.send(messages);
        }
    }

    /// Asks the question of the recorded sentence `index`.
    pub fn ask_example(self, index: usize) {
        let found = self.session.with_untracked(|session| {
            let sentence = session.sentences().get(index)?;
            Some((sentence.text.clone(), sentence.prepend_bos))
        });
        if let Some((text, prepend_bos)) = found {
            self.question.set(Question {
                text,
                prepend_bos,
                ..Question::default()
            });
            self.ask();
        }
    }

    /// Asks the question of the guided example `guided`, with its model.
    pub fn ask_guided(self, guided: &GuidedExample) {
        if self.form.with_untracked(|form| form.model) != guided.model {
            self.choose(guided.model);
        }
        self.question.set(guided.question());
        self.ask();
    }

    /// Runs `trial` at the shown pair.
    pub fn attempt(self, trial: Trial) {
        let found = self.session.with_untracked(|session| {
            let result = &session.question_state().shown()?.result;
            let section = result.attention()?;
            let text = result.prompts.first()?.text.clone();
            Some((text, prepend_bos(result), (section.head, section.dest, section.src)))
        });
        let Some((text, prepend_bos, (head, dest, src))) = found else {
            return;
        };
        let Some(url) = self.chosen_url() else {
            let error = Error::new(ErrorKind::Request, "no model is chosen that can be read")
                .advice("Choose one above, and correct its address.");
            self.refuse(trial.kind(), error);
            return;
        };
        self.agree();
        let asked = self.question.get_untracked();
        let question = Question {
            text,
            prepend_bos,
            dest: Some(dest),
            src: Some(src),
            head: Some(head),
            targets: asked.targets,
            special_as_text: asked.special_as_text,
            normalization: asked.normalization,
            ..Question::default()
        };
        let messages = self
            .session
            .try_update(|session| session.attempt(&url, question, trial));
        self.send(messages.unwrap_or_default());
    }

    /// Shows why a trial of `kind` is not possible.
    pub fn refuse(self, kind: TrialKind, error: Error) {
        self.session.update(|session| session.refuse_trial(kind, error));
    }

    /// Cancels the trial.
    pub fn stop_trying(self) {
        let message = self.session.try_update(Session::stop_trying).flatten();
        self.send(message);
    }

    /// Cancels the question.
    pub fn stop_asking(self) {
        let message = self.session.try_update(Session::stop_asking).flatten();
        self.send(message);
    }
}

/// Whether the sentence of `result` starts with a BOS token.
fn prepend_bos(result: &ResultFile) -> bool {
    matches!(&result.prompt_set, Some(PromptSet::Text(set)) if set.prepend_bos)
}
