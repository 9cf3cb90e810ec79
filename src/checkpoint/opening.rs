//! Reads the headers of all weights files.

use std::collections::BTreeSet;
use std::ops::Range;

use super::content;
use super::expected::Expected;
use super::formats;
use super::header::{self, Entries, FILE, Header};
use super::reading::{is_kept_instead, read_parsed, trusted};
use super::shards::{self, INDEX, Index};
use super::source::Source;
use crate::error::{ErrorKind, Result};

/// The header of one weights file.
struct Part {
    /// Byte range of the header.
    range: Range<u64>,
    entries: Entries,
}

/// Reads the header of the weights of `source`: of `model.safetensors`, or of all files that the index names.
///
/// # Errors
/// [`ErrorKind::Missing`] where there are none, [`ErrorKind::Source`] where they can't be read, [`ErrorKind::Checkpoint`] where
/// they are not what is `expected`.
pub(super) async fn open(source: &dyn Source, expected: &Expected) -> Result<Header> {
    let missing = if is_kept_instead(source, INDEX, FILE).await {
        None
    } else {
        match part(source, FILE).await {
            Ok(Part { range, entries }) => {
                let header = checked(FILE, entries, expected);
                if header.is_err() {
                    forget(source, FILE, range).await;
                }
                return header;
            }
            Err(error) if error.kind == ErrorKind::Missing => Some(error),
            Err(error) => return Err(error),
        }
    };
    let index = match (read_parsed(source, INDEX, Index::parse).await, missing) {
        (Ok(index), _) => index,
        (Err(error), Some(missing)) if error.kind == ErrorKind::Missing => {
            return Err(formats::explained(source, missing).await);
        }
        (Err(error), _) => return Err(error),
    };
    of_shards(source, &index, expected).await
}

/// Reads the headers of all files of `index`, and checks that each tensor is in the file that the index says.
async fn of_shards(source: &dyn Source, index: &Index, expected: &Expected) -> Result<Header> {
    let (mut all, mut ranges) = (Entries::new(), Vec::new());
    for file in index.names() {
        let found = part(source, file).await.map_err(|error| match error.kind {
            ErrorKind::Missing => error.advice(format!("{INDEX} names it: get all files that it names.")),
            _ => error,
        })?;
        all.extend(found.entries);
        ranges.push((file, found.range));
    }
    let header = as_the_index_says(index, &all, expected).and_then(|()| checked(INDEX, all, expected));
    if header.is_err() {
        // Either the index or the file is wrong; both are dropped from the store.
        source.invalidate(INDEX, None).await;
        for (file, range) in ranges {
            forget(source, file, range).await;
        }
    }
    header
}

fn checked(name: &'static str, entries: Entries, expected: &Expected) -> Result<Header> {
    let header = Header::of(name, entries, expected)?;
    header.check(expected)?;
    Ok(header)
}

fn as_the_index_says(index: &Index, all: &Entries, expected: &Expected) -> Result<()> {
    let there: BTreeSet<(&str, &str)> = all.iter().map(|(tensor, entry)| (&**tensor, &*entry.file)).collect();
    let prefix = expected.prefix_of(index.files.keys().map(String::as_str));
    let lacking = index.files.iter().find(|(tensor, file)| {
        let is_ignored = (expected.ignored)(expected.short(tensor, &prefix));
        !is_ignored && !there.contains(&(tensor.as_str(), file.as_str()))
    });
    match lacking {
        Some((tensor, file)) => Err(shards::not_there(tensor, file)),
        None => Ok(()),
    }
}

/// Reads the header of `file`.
async fn part(source: &dyn Source, file: &str) -> Result<Part> {
    let start = Some(0..8);
    let first = source.read(file, start.clone()).await?;
    // After the first read, because some sources learn the file's length from it.
    let length = source.length(file).await?;
    let range = header::header_range(file, &first, length).map_err(|error| content::named(file, &first, error));
    let range = trusted(source, file, start.clone(), range).await?;
    let json = source.read(file, Some(range.clone())).await?;
    match header::entries(file, &json, length) {
        Ok(entries) => Ok(Part { range, entries }),
        Err(error) => {
            forget(source, file, range).await;
            Err(content::named(file, &first, error))
        }
    }
}

/// Drops the header of `file` from the store.
async fn forget(source: &dyn Source, file: &str, range: Range<u64>) {
    source.invalidate(file, Some(0..8)).await;
    source.invalidate(file, Some(range)).await;
}
