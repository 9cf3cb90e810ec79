//! Which part of the page an address opens, and what is asked there.

use super::fragment::{MAX_PROMPTS, value_of};
use crate::analysis::pair::Question;
use crate::analysis::settings::{HEAD, PREPEND_BOS};
use crate::error::Result;
use crate::figure::keys::{Query, number, text, wrong};
use crate::names::Side;

/// The key of the part of the page.
pub(super) const TAB: &str = "tab";
/// What is subtracted from the key: [`Question::relative`].
const MINUS: &str = "minus";
/// The key of the sentence, after `#`.
const TEXT: &str = "text";
/// Longest sentence in positions.
const MAX_POSITION: usize = (1 << 16) - 1;

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// One sentence, any pair of its tokens, any head.
    Sentence,
    /// One head on many prompts.
    #[default]
    Prompts,
}

impl Tab {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Sentence, Self::Prompts];

    /// Its value in an address.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Sentence => "sentence",
            Self::Prompts => "prompts",
        }
    }

    /// What a reader sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sentence => "Your sentence",
            Self::Prompts => "Many prompts",
        }
    }

    /// The tab whose value is `value`.
    pub(super) fn of_value(value: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|tab| tab.value() == value);
        found.ok_or_else(|| wrong(TAB, value, Self::ALL.map(Self::value).join(" or ")))
    }
}

/// What `query` and `key` of an address mean: the positions of the pair.
pub(super) fn is_key(key: &str) -> bool {
    key == TAB || key == MINUS || Side::ALL.iter().any(|side| side.as_str() == key)
}

/// Takes over `value` of `key`, which [`is_key`] knows, but for the tab.
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

/// Appends what is asked, but for the sentence.
pub(super) fn write(question: &Question, query: &mut Query) {
    query.add(TAB, Tab::Sentence.value());
    query.given(HEAD.key, text(question.head));
    query.given(Side::Query.as_str(), text(question.dest));
    query.given(Side::Key.as_str(), text(question.src));
    query.given(MINUS, text(question.relative));
    query.given(PREPEND_BOS.key, question.prepend_bos.then(|| "1".to_owned()));
}

/// `question` as an address can hold it: without a sentence that is too long.
pub(super) fn clean(question: &Question) -> Question {
    let mut clean = question.clone();
    if clean.text.chars().count() > MAX_PROMPTS {
        clean.text.clear();
    }
    let most = |position: &usize| *position <= MAX_POSITION;
    clean.down = None;
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
