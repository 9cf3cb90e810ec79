//! Questions about one sentence, answered by a model or from the recording.

use std::sync::Arc;

use super::Session;
use crate::analysis::pair::Question;
use crate::app::head_names::HeadNames;
use crate::app::question_state::QuestionState;
use crate::checkpoint::Notices;
use crate::error::Error;
use crate::forward::Sampling;
use crate::result::{RecordedSentence, Recording, ResultFile};
use crate::worker::ToWorker;

impl Session {
    /// The question about a sentence: request and answer.
    pub fn question_state(&self) -> &QuestionState {
        &self.question_state
    }

    /// The names of the model's heads.
    pub fn head_names(&self) -> &HeadNames {
        &self.head_names
    }

    /// Requests the names of the heads of the model at `url`. Returns the message to send.
    pub fn name_heads(&mut self, url: &str) -> ToWorker {
        let id = self.next_id();
        self.head_names.ask(id, url)
    }

    /// The recorded sentences, in display order; empty until they have arrived.
    pub fn sentences(&self) -> &[RecordedSentence] {
        self.recording.as_ref().map_or(&[], |recording| &recording.sentences)
    }

    /// The recorded sentence of `question`, if there is one.
    pub fn sentence(&self, question: &Question) -> Option<&RecordedSentence> {
        self.recording.as_ref()?.sentence(question)
    }

    /// Asks `question` of the model at `url`, replacing a pending question. Returns the messages to send, in order.
    pub fn ask(&mut self, url: &str, question: Question) -> Vec<ToWorker> {
        let (head_names, tried) = (self.head_names.request_mut().cancel(), self.trials.overtake());
        if !self.run.is_active() {
            self.notices = Notices::default();
        }
        let describe = self.describe(url);
        let id = self.next_id();
        let ask = self.question_state.ask(id, url, question);
        head_names.into_iter().chain(tried).chain(describe).chain(ask).collect()
    }

    /// Whether BOS should be prepended to `text`, typed in place of the sentence of `before`. For recorded questions
    /// (`recorded`), as the sentence was recorded; otherwise as before, except that a BOS that came with a recorded
    /// sentence is dropped.
    pub fn begins_with_bos(&self, text: &str, before: &Question, recorded: bool) -> bool {
        let mut same = self.sentences().iter().filter(|sentence| sentence.text == text);
        match same.next().filter(|_| recorded) {
            Some(sentence) => sentence.prepend_bos,
            None => before.prepend_bos && self.sentence(before).is_none(),
        }
    }

    /// Whether everything about heads that `question` asks is recorded.
    pub fn is_recorded(&self, question: &Question) -> bool {
        self.sentence(question)
            .is_some_and(|sentence| sentence.has_head(question))
    }

    /// Whether the head of the shown answer is the initial head of its recording.
    pub fn begins_with_head(&self) -> bool {
        let found = self.question_state.shown().and_then(|shown| {
            let (prompt, section) = (shown.result.prompts.first()?, shown.result.attention()?);
            let same = |sentence: &&RecordedSentence| sentence.tokens == prompt.tokens;
            Some(self.sentences().iter().find(same)?.begin? == section.head)
        });
        found.unwrap_or_default()
    }

    /// Lets the model at `url` continue the sentence of `question` by up to `count` tokens. Returns the messages to
    /// send, in order.
    pub fn go_on(&mut self, url: &str, question: Question, how: (usize, Sampling)) -> Vec<ToWorker> {
        let tried = self.trials.overtake();
        let id = self.next_id();
        let go_on = self.question_state.go_on(id, url, question, how);
        tried.into_iter().chain(go_on).collect()
    }

    /// Takes the continued sentence out.
    pub fn take_continued(&mut self) -> Option<String> {
        self.question_state.take_continued()
    }

    /// The recorded sentences have arrived.
    pub fn sentences_arrived(&mut self, recording: Recording) {
        self.recording = Some(Arc::new(recording));
    }

    /// Answers `question` from the recording, as far as possible, replacing a pending question. Returns the messages to
    /// send if that has to be cancelled.
    pub fn ask_recorded(&mut self, question: Question) -> Vec<ToWorker> {
        let Some(recording) = self.recording.clone() else {
            return Vec::new();
        };
        self.revision += 1;
        let tried = self.trials.overtake();
        let asked = self.question_state.answer_recorded(self.revision, &recording, question);
        tried.into_iter().chain(asked).collect()
    }

    /// The recorded answer to `question`, without replacing a pending question.
    pub fn recorded_answer(&self, question: &Question) -> Option<ResultFile> {
        self.recording.as_ref()?.answer(question).ok()
    }

    /// Cancels the question; None where nothing is pending.
    pub fn stop_asking(&mut self) -> Option<ToWorker> {
        self.question_state.request_mut().cancel()
    }

    /// Removes the error of the last question.
    pub fn forget_asking_error(&mut self) {
        self.question_state.request_mut().forget_error();
    }

    /// Shows `error` in place of an answer about a sentence; everything else stays.
    pub fn fail_asking(&mut self, error: Error) {
        self.question_state.fail(error);
    }
}
