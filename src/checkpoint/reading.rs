//! Reading small files whole; what makes no sense is called what it is, and not kept.

use std::ops::Range;

use super::content;
use super::source::Source;
use crate::error::Result;

/// Reads the small file `file` whole and parses it; where that fails, what was read is not kept.
///
/// # Errors
/// [`crate::ErrorKind::Missing`] and [`crate::ErrorKind::Source`] when the file can't be read, and `parse`'s; where it is
/// known what the file is instead, that is said.
pub async fn read_parsed<T>(source: &dyn Source, file: &str, parse: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let bytes = source.read(file, None).await?;
    let parsed = parse(&bytes).map_err(|error| content::named(file, &bytes, error));
    trusted(source, file, None, parsed).await
}

/// `outcome` of reading a file; where it makes no sense, the file is not kept.
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

/// Whether something of `instead` is kept, and nothing of `usual`: where it is known which of the two a model has, nobody is
/// asked.
pub async fn is_kept_instead(source: &dyn Source, instead: &str, usual: &str) -> bool {
    source.keeps(instead).await && !source.keeps(usual).await
}
