//! Positions as given in Python.

use keyside::prompts::text::Place;
use pyo3::prelude::*;

/// A position: a number, or a word of the text.
#[derive(FromPyObject)]
pub enum Given {
    /// A number.
    At(i64),
    /// A word, which may consist of digits.
    Word(String),
}

impl From<Given> for Place {
    fn from(given: Given) -> Self {
        match given {
            Given::At(position) => Self::At(position),
            Given::Word(word) => Self::Word(word),
        }
    }
}
