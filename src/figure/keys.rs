//! Parsing and formatting of single values in an address.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, ErrorKind, Result};

/// Highest layer and head that a model can have.
pub(crate) const MAX_LAYER: usize = (1 << 10) - 1;
pub(crate) const MAX_HEAD: usize = (1 << 16) - 1;
/// Longest label of a series and longest name of a heatmap, in bytes.
pub(crate) const MAX_LABEL: usize = 100;
/// Most values of keys that may come more than once, over all figures.
pub(crate) const MAX_REPEATED: usize = 64;
/// Largest end of a range of values, and the smallest one that is not 0: single precision has none beyond.
const MAX_VALUE: f64 = 1e39;
const MIN_VALUE: f64 = 1e-46;
/// What stands for itself in a value. Brackets do not: programs that find links in a text end them there.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',')
    .remove(b'@')
    .remove(b'/');

/// A query that is being written.
#[derive(Default)]
pub struct Query(String);

impl Query {
    /// Appends `key=value`.
    pub fn add(&mut self, key: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(key);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
    }

    /// Appends `key=value` where there is a value.
    pub fn given(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.add(key, &value);
        }
    }

    /// The query, without the question mark.
    pub fn finish(self) -> String {
        self.0
    }
}

pub(crate) fn text(value: Option<impl fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

pub(crate) fn number<T: FromStr + PartialOrd + fmt::Display>(key: &str, value: &str, least: T, most: T) -> Result<T> {
    let number = value.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| wrong(key, value, format!("a whole number from {least} to {most}")))
}

pub(crate) fn switch(key: &str, value: &str) -> Result<bool> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(wrong(key, value, "1 or 0")),
    }
}

/// A text of one line that is not empty.
pub(crate) fn line(key: &str, value: &str, most: usize) -> Result<String> {
    if value.is_empty() || value.len() > most || value.contains(char::is_control) {
        return Err(wrong(key, value, format!("one line of 1 to {most} bytes")));
    }
    Ok(value.to_owned())
}

/// Two whole numbers, "3,9" (or with another mark between them), each at most `most`.
pub(crate) fn pair(value: &str, mark: char, most: usize) -> Option<(usize, usize)> {
    let (first, second) = value.split_once(mark)?;
    let whole = |text: &str| text.parse().ok().filter(|number| *number <= most);
    Some((whole(first)?, whole(second)?))
}

/// A range of values, "-1.5,2.25", as [`rounded`] has it.
pub(crate) fn range(value: &str) -> Option<(f64, f64)> {
    let (low, high) = value.split_once(',')?;
    rounded((low.parse().ok()?, high.parse().ok()?))
}

/// `range` with seven significant digits, which is finer than any screen; None where it is no range, or one too narrow.
pub(crate) fn rounded((low, high): (f64, f64)) -> Option<(f64, f64)> {
    // Adding 0 makes -0 a plain 0.
    let round = |value: f64| format!("{value:.6e}").parse::<f64>().ok().map(|value| value + 0.0);
    let (low, high) = (round(low)?, round(high)?);
    let usable = |value: f64| value.abs() <= MAX_VALUE && (value == 0.0 || value.abs() >= MIN_VALUE);
    (usable(low) && usable(high) && low < high).then_some((low, high))
}

pub(crate) fn wrong(key: &str, value: &str, expected: impl Into<String>) -> Error {
    let shown: String = value.chars().take(80).collect();
    error(format!("the address has {shown:?} for \"{key}\"")).expected(expected)
}

pub(crate) fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Request, cause).advice("Correct the address, or open the page without what follows \"?\".")
}
