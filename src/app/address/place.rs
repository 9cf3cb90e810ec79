//! The part of the page that a URL opens, and the question in it.

use super::fragment::{MAX_PROMPTS, value_of};
use super::state::Address;
use super::tab::{TAB, Tab};
use crate::analysis::pair::{Question, TargetTexts};
use crate::analysis::settings::{EXACT_LN, HEAD, PREPEND_BOS};
use crate::app::consequences::Consequence;
use crate::app::sentence_lines::MAX_LINES;
use crate::app::steps::StoryStep;
use crate::error::Result;
use crate::figure::keys::{Query, number, text, wrong};
use crate::names::Side;
use crate::prompts::Targets;

/// The key of the step of the story.
pub(super) const STEP: &str = "step";
/// The key of what the score is relative to: [`Question::relative`].
const MINUS: &str = "minus";
/// Whether special tokens are read as text: [`Question::special_as_text`].
const SPECIAL: &str = "special";
/// The value for special tokens read as text.
const AS_TEXT: &str = "text";
/// The key of the sentence in the fragment.
const TEXT: &str = "text";
/// The key of all entered sentences in the fragment.
const LINES: &str = "lines";
/// The key of the open cards below the decomposition, see [`Consequence::value`].
const CONSEQUENCES: &str = "so_what";
/// The key of the opened direction: [`Question::direction`].
const DIRECTION: &str = "direction";
/// The keys of the targets as typed, in the fragment.
const TARGETS: [&str; 2] = ["a", "b"];
/// Limit of the characters of a target.
const MAX_TARGET: usize = 100;
/// Limit of positions.
const MAX_POSITION: usize = (1 << 16) - 1;

/// Whether `key` is one of this module's.
pub(super) fn is_key(key: &str) -> bool {
    [TAB, STEP, MINUS, SPECIAL, CONSEQUENCES, DIRECTION].contains(&key)
        || Side::ALL.iter().any(|side| side.as_str() == key)
}

/// Sets `question` from `value` of `key`, one of this module's keys except tab and step.
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
        Err(_) if key == DIRECTION => question.direction = Some(number(key, value, 0, MAX_POSITION)?),
        Err(_) if key == CONSEQUENCES => {
            for part in value.split(',') {
                let found = Consequence::ALL.into_iter().find(|known| known.value() == part);
                let names = || Consequence::ALL.map(Consequence::value).join(", ");
                found.ok_or_else(|| wrong(key, value, names()))?.open(question, true);
            }
        }
        Err(_) if key == SPECIAL && value == AS_TEXT => question.special_as_text = true,
        Err(_) if key == SPECIAL => return Err(wrong(key, value, AS_TEXT)),
        Err(_) => {}
    }
    Ok(())
}

/// The step of the story called `value`.
pub(super) fn step_of(value: &str) -> Result<StoryStep> {
    let names = || StoryStep::ALL.map(StoryStep::value).join(", ");
    StoryStep::of_value(value).ok_or_else(|| wrong(STEP, value, names()))
}

/// Appends the open part of the page, its step, and the question without the sentence.
pub(super) fn write(address: &Address, query: &mut Query) {
    // "Many prompts" needs no tab if there are other keys.
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
    query.given(SPECIAL, question.special_as_text.then(|| AS_TEXT.to_owned()));
    let open = Consequence::ALL.into_iter().filter(|part| part.is_open(question));
    let open: Vec<&str> = open.map(Consequence::value).collect();
    query.given(CONSEQUENCES, (!open.is_empty()).then(|| open.join(",")));
    query.given(DIRECTION, text(question.direction));
    query.given(PREPEND_BOS.key, question.prepend_bos.then(|| "1".to_owned()));
    let exact = question.normalization.is_exact();
    query.given(EXACT_LN.key, exact.then(|| "1".to_owned()));
}

/// `question` without what an address cannot hold: a sentence that is too long.
pub(super) fn clean(question: &Question) -> Question {
    let mut clean = Question {
        down: None,
        targets: Targets::default(),
        layer: false,
        ..question.clone()
    };
    if clean.text.chars().count() > MAX_PROMPTS {
        clean.text.clear();
    }
    // Typed targets are kept only together with the sentence.
    let stays = |text: &String| !clean.text.is_empty() && is_target(text);
    let TargetTexts { a, b } = clean.target_texts;
    clean.target_texts = TargetTexts {
        a: a.filter(stays),
        b: b.filter(stays),
    };
    let most = |position: &usize| *position <= MAX_POSITION;
    clean.dest = clean.dest.filter(most);
    clean.src = clean.src.filter(most);
    clean.direction = clean.direction.filter(most);
    clean
}

/// Whether `text` can be a target in an address.
fn is_target(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_TARGET
}

/// The sentences `lines` for an address. None if there is only one, if `question`'s is not among them, or if they are
/// too long.
pub(super) fn lines(question: &Question, lines: &[String]) -> Option<Vec<String>> {
    let several = (2..=MAX_LINES).contains(&lines.len()) && lines.contains(&question.text);
    let one_each = |line: &String| !line.contains(['\n', '\r']);
    let count: usize = lines.iter().map(|line| line.chars().count() + 1).sum();
    (several && lines.iter().all(one_each) && count <= MAX_PROMPTS).then(|| lines.to_vec())
}

/// The fragment; None without a sentence.
pub(super) fn to_fragment(question: &Question, lines: &[String]) -> Option<String> {
    if question.text.is_empty() {
        return None;
    }
    let mut fragment = Query::default();
    fragment.add(TEXT, &question.text);
    let TargetTexts { a, b } = &question.target_texts;
    for (key, target) in TARGETS.into_iter().zip([a, b]) {
        fragment.given(key, target.clone());
    }
    if !lines.is_empty() {
        fragment.add(LINES, &lines.join("\n"));
    }
    Some(fragment.finish())
}

/// The sentence in a fragment.
pub(super) fn sentence_in(fragment: &str) -> Option<String> {
    value_of(fragment, TEXT)
}

/// The targets as typed in a fragment.
pub(super) fn targets_in(fragment: &str) -> TargetTexts {
    let [a, b] = TARGETS.map(|key| value_of(fragment, key).filter(|text| is_target(text)));
    TargetTexts { a, b }
}

/// The entered sentences in a fragment.
pub(super) fn lines_in(fragment: &str) -> Vec<String> {
    let found = value_of(fragment, LINES).unwrap_or_default();
    found.split('\n').map(str::to_owned).collect()
}
