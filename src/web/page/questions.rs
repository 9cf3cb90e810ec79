//! What the page asks of a sentence.

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
    /// The page whose result is the last answer about a sentence: its figures are those of the sentence.
    pub fn of_sentence(self) -> Self {
        let session = self.session;
        Self {
            shown: Memo::new(move |_| session.with(|session| session.question_state().shown().cloned())),
            ..self
        }
    }

    /// Opens a part of the page.
    pub fn open_tab(self, tab: Tab) {
        self.tab.set(tab);
        if tab == Tab::Sentence {
            self.ask();
        }
    }

    /// Changes what is asked, and asks it. What was found is then what is meant.
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
                // Where the head alone was named, the token is the one that it looks most to.
                question.head.get_or_insert(head);
                question.dest.get_or_insert(dest);
                question.src.get_or_insert(src);
            }
            // What was opened belongs to one pair.
            let before = (question.text.clone(), question.head, question.dest, question.src);
            change(question);
            if before != (question.text.clone(), question.head, question.dest, question.src) {
                question.down = None;
            }
            // Another head has other directions.
            if before.1 != question.head {
                question.direction = None;
            }
        });
        self.ask();
    }

    /// Asks about another sentence: from its last token, and of the pair that is found.
    pub fn ask_anew(self, text: String) {
        self.question.update(|question| {
            *question = Question {
                text,
                // A step of the story is about its head, in whatever sentence.
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

    /// Lets the model go on with the sentence after the query, `count` tokens at most.
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

    /// The reader asks something of the chosen model: from now on it may be asked, also where it is on the hub.
    pub fn agree(self) {
        self.revive();
        if let Some(url) = self.chosen_url() {
            self.session.update(|session| session.agree(&url));
        }
    }

    /// Asks what is to be asked, unless that is answered, nothing is to be asked, or there is no model to ask: then what is recorded
    /// answers. The hub is asked for nothing before the reader agrees.
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
            // What was asked of the model before is of no interest any more, nor why that failed.
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

    /// Names the heads of the chosen model.
    pub fn name_heads(self) {
        let Some(url) = self.chosen_url() else { return };
        self.agree();
        let message = self.session.try_update(|session| session.name_heads(&url));
        self.send(message);
    }

    /// Asks the recorded sentences, as far as they have arrived.
    fn ask_recorded(self, question: Question) {
        if self
            .session
            .with_untracked(|session| session.question_state().answers("", &question))
        {
            return;
        }
        let messages = self.session.try_update(|session| session.ask_recorded(question));
        // There need be no worker where nothing is asked of it.
        if let Some(messages) = messages.filter(|messages| !messages.is_empty()) {
            self.send(messages);
        }
    }

    /// Asks about the recorded sentence `index`.
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

    /// Asks what the guided example `guided` asks, of its model.
    pub fn ask_guided(self, guided: &GuidedExample) {
        if self.form.with_untracked(|form| form.model) != guided.model {
            self.choose(guided.model);
        }
        self.question.set(guided.question());
        self.ask();
    }

    /// Tries `trial` at the pair that is shown.
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

    /// Says beside what would be tried why it can't be.
    pub fn refuse(self, kind: TrialKind, error: Error) {
        self.session.update(|session| session.refuse_trial(kind, error));
    }

    /// Stops trying.
    pub fn stop_trying(self) {
        let message = self.session.try_update(Session::stop_trying).flatten();
        self.send(message);
    }

    /// Stops asking.
    pub fn stop_asking(self) {
        let message = self.session.try_update(Session::stop_asking).flatten();
        self.send(message);
    }
}

/// Whether BOS stands before the sentence of `result`.
fn prepend_bos(result: &ResultFile) -> bool {
    matches!(&result.prompt_set, Some(PromptSet::Text(set)) if set.prepend_bos)
}
