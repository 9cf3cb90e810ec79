//! What stands after `#` in an address: texts that go to no server.

use form_urlencoded::parse;

use crate::error::Result;
use crate::figure::keys::{MAX_LABEL, line};

/// Most characters of the reader's own prompts, or of a sentence, in a link.
pub const MAX_PROMPTS: usize = 1500;

/// The value of the key `wanted` in `fragment`, with or without its `#`.
pub(super) fn value_of(fragment: &str, wanted: &str) -> Option<String> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let mut keys = parse(fragment.as_bytes());
    keys.find(|(key, _)| key == wanted).map(|(_, text)| text.into_owned())
}

/// The key of what the texts of listed prompts contain: it may be of the reader's own prompts.
pub(super) const FIND: &str = "find";

/// What the texts of listed prompts contain, as `fragment` says. None where it says nothing of it.
///
/// # Errors
/// [`crate::ErrorKind::Request`] where that is too long, or no line.
pub(super) fn find_in(fragment: &str) -> Result<Option<String>> {
    let found = value_of(fragment, FIND).filter(|text| !text.is_empty());
    found.map(|text| line(FIND, &text, MAX_LABEL)).transpose()
}
