//! Common parts of error messages about the user's text.

use crate::error::{Error, ErrorKind};

/// Limit of the characters of a line that an error shows.
pub(super) const SHOWN: usize = 60;

/// `text` in quotes, shortened.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{:?}", format!("{}\u{2026}", &text[..at])),
        None => format!("{text:?}"),
    }
}

pub(super) fn wrong(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Prompt, cause)
}
