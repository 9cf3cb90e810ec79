//! What stands after `#` in an address: texts that go to no server.

use form_urlencoded::parse;

/// Most characters of the reader's own prompts, or of a sentence, in a link.
pub const MAX_PROMPTS: usize = 1500;

/// The value of the key `wanted` in `fragment`, with or without its `#`.
pub(super) fn value_of(fragment: &str, wanted: &str) -> Option<String> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let mut keys = parse(fragment.as_bytes());
    keys.find(|(key, _)| key == wanted).map(|(_, text)| text.into_owned())
}
