//! Reads small files whole. Files that cannot be parsed are named for what they are, and dropped from the store.

use std::ops::Range;

use super::content;
use super::source::Source;
use crate::error::Result;

/// Reads the small file `file` whole and parses it. If parsing fails, the file is dropped from the store.
///
/// # Errors
/// [`crate::ErrorKind::Missing`] and [`crate::ErrorKind::Source`] when the file can't be read, and `parse`'s; where it is
/// known what the file is instead, that is said.
pub async fn read_parsed<T>(source: &dyn Source, file: &str, parse: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let bytes = source.read(file, None).await?;
    let parsed = parse(&bytes).map_err(|error| content::named(file, &bytes, error));
    trusted(source, file, None, parsed).await
}

/// Passes on the `outcome` of parsing a file; on failure the file is dropped from the store.
pub(super) async fn trusted<T>(
    source: &dyn Source,
    file: &str,
    range: Option<Range<u64>>,
    outcome: Result<T>,
) -> Result<T> {
    if outcome.is_err() {
        source.invalidate(file, range).await;
    }
    outcome
}

/// Whether the store has something of the file `instead`, and nothing of the file `usual`. Tells which of the two a
/// stored model has, without a request.
pub async fn is_kept_instead(source: &dyn Source, instead: &str, usual: &str) -> bool {
    source.keeps(instead).await && !source.keeps(usual).await
}
