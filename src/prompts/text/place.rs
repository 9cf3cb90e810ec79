//! A position of a sentence as the user gives it: a number, or a word of the text.

use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::errors::{shown, wrong};
use super::locate::locate;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;

/// A position of a sentence: a number, or a word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The position, counted from 0 (BOS included, if there is one); from the end if it is negative.
    At(i64),
    /// The last token of this word, which must occur once in the text.
    Word(String),
}

/// The inverse of `from_str`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position) => position.fmt(f),
            Self::Word(word) => f.pad(word),
        }
    }
}

/// A number is a position, any other text a word.
impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        let number = text.trim().parse();
        Ok(number.map_or_else(|_| Self::Word(text.to_owned()), Self::At))
    }
}

impl Place {
    /// The position in `count` tokens; those after BOS (if `bos`) are the tokens of `text`. `name` is the position's
    /// name in error messages.
    ///
    /// ```
    /// use futures::executor::block_on;
    /// use keyside::checkpoint::FileSource;
    /// use keyside::model::Checkpoint;
    /// use keyside::prompts::text::Place;
    ///
    /// let checkpoint = block_on(Checkpoint::open(Box::new(FileSource::new("tests/fixtures/tiny"))))?;
    /// let (tokenizer, text) = (checkpoint.tokenizer(), "When Mary and John went, John gave a drink to");
    /// assert_eq!(Place::Word("Mary".into()).find("src", text, tokenizer, false)?, 1);
    /// assert_eq!(Place::At(-1).find("dest", text, tokenizer, true)?, 11);
    /// let twice = Place::Word("John".into()).find("src", text, tokenizer, false).unwrap_err();
    /// assert!(twice.cause.ends_with("stands 2 times in the text, at positions 3 and 6"));
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a number that is outside of the sentence, and for a word that does not stand in it, stands in it more than
    /// once (with its positions), or ends within a token.
    pub fn find(&self, name: &str, text: &str, tokenizer: &Tokenizer, bos: bool) -> Result<usize> {
        match self {
            Self::At(given) => {
                let count = tokenizer.encode(text)?.len() + usize::from(bos);
                at(name, *given, count)
            }
            Self::Word(word) => of_word(name, word.trim(), text, (tokenizer, usize::from(bos))),
        }
    }
}

/// Resolves the number `given` in `count` tokens.
fn at(name: &str, given: i64, count: usize) -> Result<usize> {
    let from_start = if given < 0 { given + count as i64 } else { given };
    let found = usize::try_from(from_start).ok().filter(|position| *position < count);
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::Request,
            format!("{name} is {given}, outside of {count} tokens"),
        )
        .expected(format!("a position from {} to {}", -(count as i64), count as i64 - 1))
    })
}

/// The position of the last token of `word`, after `offset` tokens.
fn of_word(name: &str, word: &str, text: &str, (tokenizer, offset): (&Tokenizer, usize)) -> Result<usize> {
    let (_, ends) = tokenizer.encode_with_ends(text)?;
    let found: Vec<Range<usize>> = occurrences(text, word).collect();
    let asked = |cause: String| Error::new(ErrorKind::Request, cause);
    match &found[..] {
        [] => Err(
            asked(format!("{name} is {}, which does not stand in the text", shown(word)))
                .expected("a word of the text as it is spelt there, or a position"),
        ),
        [one] => match locate(text, one, &ends, offset) {
            Ok(located) => Ok(located.position),
            Err(_) => Err(wrong(format!("{name} is {}, which ends within a token", shown(word)))
                .expected("a word whose end is that of a token, or a position")),
        },
        several => {
            let positions = several
                .iter()
                .map(|range| (ends.partition_point(|end| *end < range.end) + offset).to_string());
            let positions: Vec<String> = positions.collect();
            let (last, others) = positions
                .split_last()
                .map_or(("", &[][..]), |(last, others)| (last, others));
            Err(asked(format!(
                "{name} is {}, which stands {} times in the text, at positions {} and {last}",
                shown(word),
                positions.len(),
                others.join(", ")
            ))
            .expected("a word that stands there once, or a position")
            .advice(format!("Say which one is meant by its position, such as {last}.")))
        }
    }
}

/// Occurrences of `word` in `text` that are not part of another word.
fn occurrences<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let goes_on = move |edge: Option<char>, next: Option<char>| is_letter(edge) && is_letter(next);
    let is_whole = move |range: &Range<usize>| {
        let (before, after) = (
            text[..range.start].chars().next_back(),
            text[range.end..].chars().next(),
        );
        !goes_on(word.chars().next(), before) && !goes_on(word.chars().next_back(), after)
    };
    let found = text.match_indices(word).filter(|(_, found)| !found.is_empty());
    found.map(|(at, found)| at..at + found.len()).filter(is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str, word: &str) -> Vec<(usize, usize)> {
        occurrences(text, word).map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn a_word_is_no_part_of_another() {
        assert_eq!(spans("Mary, Marys, Rosemary and Mary", "Mary"), [(0, 4), (26, 30)]);
        assert_eq!(spans("to the store, to", "to"), [(0, 2), (14, 16)]);
        assert_eq!(spans("a, b,c", ","), [(1, 2), (4, 5)]);
        assert_eq!(spans("Éva and Év", "Év"), [(9, 12)]);
        assert_eq!(spans("nothing", ""), []);
    }

    #[test]
    fn numbers_are_positions() {
        let read = |text: &str| text.parse::<Place>().expect("never fails");
        assert_eq!(read("-1"), Place::At(-1));
        assert_eq!(read(" 7 "), Place::At(7));
        assert_eq!(read("7th"), Place::Word("7th".into()));
        assert_eq!((at("src", -2, 5), at("src", 4, 5)), (Ok(3), Ok(4)));
        for outside in [5, -6, i64::MAX] {
            let error = at("src", outside, 5).expect_err("outside");
            assert!(
                error.cause.starts_with("src is") && error.expected == "a position from -5 to 4",
                "{error}"
            );
        }
        assert!(at("src", 0, 0).is_err());
    }
}
