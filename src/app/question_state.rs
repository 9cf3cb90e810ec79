//! The state of the question about a sentence: the pending request and the last answer.

use std::sync::Arc;

use super::pending_request::PendingRequest;
use super::state::{Origin, Shown};
use crate::analysis::pair::{Question, RunBands};
use crate::error::{Error, ErrorKind};
use crate::forward::Sampling;
use crate::result::{Recording, ResultFile};
use crate::worker::ToWorker;

/// The pending question and the last answer.
#[derive(Debug, Clone, Default)]
pub struct QuestionState {
    request: PendingRequest<Question>,
    shown: Option<Shown>,
    /// The question that all of `shown` answers, with the model's URL.
    answered: Option<(String, Question)>,
    url: String,
    continued: Option<String>,
    /// The last sentence, and the special tokens that are spelled out in it.
    specials: Option<(String, Vec<String>)>,
}

impl QuestionState {
    /// The last answer, possibly incomplete. Older parts are about the same sentence.
    pub fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// The pending question.
    pub fn request(&self) -> &PendingRequest<Question> {
        &self.request
    }

    pub(super) fn request_mut(&mut self) -> &mut PendingRequest<Question> {
        &mut self.request
    }

    /// The special tokens of the model that are spelled out in `text`, as far as known.
    pub fn specials_in(&self, text: &str) -> &[String] {
        let of_text = self.specials.as_ref().filter(|(known_text, _)| known_text == text);
        of_text.map_or(&[], |(_, specials)| specials)
    }

    /// Whether the shown answer is to `question` of the model at `url`, or that answer is pending.
    pub fn answers(&self, url: &str, question: &Question) -> bool {
        let awaited = self.request.active();
        let known = self
            .answered
            .as_ref()
            .filter(|(known_url, _)| known_url == url)
            .map(|(_, known)| known);
        self.url == url && (awaited == Some(question) || awaited.is_none() && known == Some(question))
    }

    /// Asks `question` of the model at `url` under request number `id`, replacing a pending question. Returns the
    /// messages to send.
    pub(super) fn ask(&mut self, id: u32, url: &str, question: Question) -> Vec<ToWorker> {
        let overtaken = self.request.start(id, question.clone());
        let ask = ToWorker::Ask {
            id,
            url: url.to_owned(),
            question,
        };
        // Another model may have other special tokens.
        self.specials.take_if(|_| self.url != url);
        url.clone_into(&mut self.url);
        overtaken.into_iter().chain([ask]).collect()
    }

    /// Lets the model at `url` continue the sentence of `question`, replacing a pending question. Returns the messages
    /// to send.
    pub(super) fn go_on(
        &mut self,
        id: u32,
        url: &str,
        question: Question,
        (count, sampling): (usize, Sampling),
    ) -> Vec<ToWorker> {
        let mut messages = self.ask(id, url, question.clone());
        messages.pop();
        messages.push(ToWorker::Continue {
            id,
            url: url.to_owned(),
            question,
            count,
            sampling,
        });
        messages
    }

    /// Answers `question` from `recording`, replacing a pending question. Returns the message to send if that has to be
    /// cancelled. The answer becomes version `revision` of the shown result; if the sentence is not recorded, the last
    /// answer stays.
    pub(super) fn answer_recorded(
        &mut self,
        revision: u64,
        recording: &Recording,
        question: Question,
    ) -> Option<ToWorker> {
        let overtaken = self.request.cancel();
        // No model is involved.
        self.url.clear();
        self.specials = None;
        self.request.forget_error();
        self.answered = None;
        let Some(sentence) = recording.sentence(&question) else {
            return overtaken;
        };
        match recording.answer(&question) {
            // Replaces the whole answer: parts that are not recorded for this pair must not remain from another one.
            Ok(result) => {
                self.answered = Some((String::new(), question));
                self.shown = Some(Shown {
                    revision,
                    origin: Origin::Recorded,
                    result: Arc::new(result),
                    note: sentence.note.clone(),
                    url: None,
                });
            }
            Err(error) => self.request.refuse(error),
        }
        overtaken
    }

    /// Shows `error`; the last answer stays.
    pub(super) fn fail(&mut self, error: Error) {
        // Parts of the answer may have arrived.
        self.answered = None;
        self.request.finish();
        if error.kind != ErrorKind::Cancelled {
            self.request.refuse(error);
        }
    }

    /// Adds a part of the answer; the result becomes version `revision` of the shown result.
    pub(super) fn part(&mut self, revision: u64, part: ResultFile, note: Option<String>) {
        let same = self.shown.take().filter(|shown| {
            let tokens = |result: &ResultFile| result.prompts.first().map(|prompt| prompt.tokens.clone());
            tokens(&shown.result) == tokens(&part) && shown.result.model == part.model
        });
        let result = match same {
            Some(shown) => {
                let mut result = Arc::unwrap_or_clone(shown.result);
                result.take(part);
                result
            }
            None => part,
        };
        self.shown = Some(Shown {
            revision,
            origin: Origin::Live,
            result: Arc::new(result),
            note,
            url: Some(self.url.clone()),
        });
    }

    /// Sets the `bands` of a run over many prompts for comparison, or removes them; the result becomes version
    /// `revision`.
    pub(super) fn compare_with(&mut self, revision: u64, bands: Option<RunBands>) {
        if let Some(shown) = &mut self.shown {
            shown.revision = revision;
            if let Some(section) = Arc::make_mut(&mut shown.result).substituted_mut() {
                section.run = bands;
            }
        }
    }

    /// Notes the special tokens spelled out in the sentence.
    pub(super) fn specials(&mut self, texts: Vec<String>) {
        if let Some(question) = self.request.active() {
            self.specials = Some((question.text.clone(), texts));
        }
    }

    /// Stores the continued sentence, which will be the next question.
    pub(super) fn continued(&mut self, text: String) {
        self.request.cancel();
        self.continued = Some(text);
    }

    /// Takes the continued sentence out.
    pub(super) fn take_continued(&mut self) -> Option<String> {
        self.continued.take()
    }

    /// All parts have arrived.
    pub(super) fn finish(&mut self) {
        if let Some(question) = self.request.finish() {
            self.answered = Some((self.url.clone(), question));
        }
    }
}
