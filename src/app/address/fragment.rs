//! The fragment of a URL, after `#`: texts that are not sent to any server.

use form_urlencoded::parse;

use crate::error::Result;
use crate::figure::keys::{MAX_LABEL, line};

/// Limit of the characters of own prompts, or of a sentence, in a link.
pub const MAX_PROMPTS: usize = 1500;

/// The value of the key `wanted` in `fragment`, with or without its `#`.
pub(super) fn value_of(fragment: &str, wanted: &str) -> Option<String> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let mut keys = parse(fragment.as_bytes());
    keys.find(|(key, _)| key == wanted).map(|(_, text)| text.into_owned())
}

/// The key of the prompt list's text filter, which may quote the user's own prompts.
pub(super) const FIND: &str = "find";

/// The text filter in `fragment`; None where there is none.
///
/// # Errors
/// [`crate::ErrorKind::Request`] where that is too long, or no line.
pub(super) fn find_in(fragment: &str) -> Result<Option<String>> {
    let found = value_of(fragment, FIND).filter(|text| !text.is_empty());
    found.map(|text| line(FIND, &text, MAX_LABEL)).transpose()
}
