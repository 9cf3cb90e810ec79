//! Names of exported files.

use crate::result::ResultFile;

/// The common beginning of the names of a result's files: `keyside-gpt-2-small-10.7`.
pub fn result_stem(result: &ResultFile) -> String {
    let model = plain(&result.model.name.to_ascii_lowercase(), |c| {
        c.is_ascii_alphanumeric() || c == '.'
    });
    format!(
        "keyside-{model}-{}",
        plain(&result.head_name(), |c| c.is_ascii_digit() || c == '.')
    )
}

/// `text` with every run of characters that are not `allowed` replaced by a hyphen.
pub fn plain(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let words = text.split(|c: char| !allowed(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
