//! Which part of the page an address opens, and what is asked there.

use super::fragment::{MAX_PROMPTS, value_of};
use super::state::Address;
use super::tab::{TAB, Tab};
use crate::analysis::pair::Question;
use crate::analysis::settings::{HEAD, PREPEND_BOS};
use crate::app::steps::StoryStep;
use crate::error::Result;
use crate::figure::keys::{Query, number, text, wrong};
use crate::names::Side;
use crate::prompts::Targets;

/// The key of the step of the story.
pub(super) const STEP: &str = "step";
/// What is subtracted from the key: [`Question::relative`].
const MINUS: &str = "minus";
/// The key of the sentence, after `#`.
const TEXT: &str = "text";
/// Longest sentence in positions.
const MAX_POSITION: usize = (1 << 16) - 1;

/// What `query` and `key` of an address mean: the positions of the pair.
pub(super) fn is_key(key: &str) -> bool {
    key == TAB || key == STEP || key == MINUS || Side::ALL.iter().any(|side| side.as_str() == key)
}

/// Takes over `value` of `key`, which [`is_key`] knows, but for tab and step.
pub(super) fn take(question: &mut Question, key: &str, value: &str) -> Result<()> {
    match key.parse() {
        Ok(Side::Query) => question.dest = Some(number(key, value, 0, MAX_POSITION)?),
        Ok(Side::Key) => question.src = Some(number(key, value, 0, MAX_POSITION)?),
        Err(_) if key == MINUS => {
            question.relative = Some(
                value
                    .parse()
                    .map_err(|_| wrong(key, value, "mean, attention or a position"))?,
            );
        }
        Err(_) => {}
    }
    Ok(())
}

/// The step of the story that is called `value`.
pub(super) fn step_of(value: &str) -> Result<StoryStep> {
    let names = || StoryStep::ALL.map(StoryStep::value).join(", ");
    StoryStep::of_value(value).ok_or_else(|| wrong(STEP, value, names()))
}

/// Appends which part of the page is open, at which step, and what is asked there, but for the sentence.
pub(super) fn write(address: &Address, query: &mut Query) {
    // Many prompts need no tab, as long as something else is said.
    if address.tab() != Tab::Prompts || *address == Address::default() {
        query.add(TAB, address.tab().value());
    }
    let usual = (address.tab() == Tab::Story).then(StoryStep::default);
    let step = address.step.filter(|step| Some(*step) != usual);
    query.given(STEP, step.map(|step| step.value().to_owned()));
    if let Some(question) = &address.question {
        write_question(question, query);
    }
}

fn write_question(question: &Question, query: &mut Query) {
    query.given(HEAD.key, text(question.head));
    query.given(Side::Query.as_str(), text(question.dest));
    query.given(Side::Key.as_str(), text(question.src));
    query.given(MINUS, text(question.relative));
    query.given(PREPEND_BOS.key, question.prepend_bos.then(|| "1".to_owned()));
}

/// `question` as an address can hold it: without a sentence that is too long.
pub(super) fn clean(question: &Question) -> Question {
    let mut clean = Question {
        down: None,
        targets: Targets::default(),
        effects: false,
        lens: false,
        directions: false,
        direction: None,
        ..question.clone()
    };
    if clean.text.chars().count() > MAX_PROMPTS {
        clean.text.clear();
    }
    let most = |position: &usize| *position <= MAX_POSITION;
    clean.dest = clean.dest.filter(most);
    clean.src = clean.src.filter(most);
    clean
}

/// What belongs after `#`; None without a sentence.
pub(super) fn to_fragment(question: &Question) -> Option<String> {
    if question.text.is_empty() {
        return None;
    }
    let mut fragment = Query::default();
    fragment.add(TEXT, &question.text);
    Some(fragment.finish())
}

/// The sentence in what follows `#`.
pub(super) fn sentence_in(fragment: &str) -> Option<String> {
    value_of(fragment, TEXT)
}
