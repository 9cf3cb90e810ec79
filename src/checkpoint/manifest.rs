//! What is stored of a model, and whether it is whole.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::{Store, StoredFile};
use crate::error::Result;

/// Beginning of the names of manifests; a number follows.
const NAME: &str = "manifest-";
/// Longest manifest that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Bytes that are read from the store at once.
const STEP: usize = 1 << 20;

/// One stored piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// What is stored of a model. Written after the pieces that it lists, so that what it does not list does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Where the model came from.
    pub(crate) location: String,
    /// Lengths of whole files, where they are known.
    pub(crate) lengths: BTreeMap<String, u64>,
    /// The pieces, by [`piece_name`].
    pub(crate) pieces: BTreeMap<String, Kept>,
    /// Counts up with every version.
    #[serde(skip)]
    pub(crate) number: u64,
}

/// Name in the store of a piece of `file` (all of it where `range` is None).
pub(crate) fn piece_name(file: &str, range: Option<&Range<u64>>) -> String {
    let file = file.to_ascii_lowercase();
    match range {
        Some(range) => format!("{file}.{}-{}", range.start, range.end),
        None => file,
    }
}

/// Name of the folder of the model at `location`.
pub(crate) fn folder_name(location: &str) -> String {
    hex(&Sha256::digest(location.as_bytes())[..16])
}

/// `bytes` in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Manifest {
    /// The newest whole manifest in `folder`; None where there is none.
    pub(crate) async fn read(store: &dyn Store, folder: &str) -> Result<Option<Self>> {
        let mut newest = None::<Self>;
        for file in store.files(folder).await? {
            let number = file.strip_prefix(NAME).and_then(|number| number.parse().ok());
            let Some(number) = number else { continue };
            if newest.as_ref().is_none_or(|newest| newest.number < number)
                // One that is being written, or goes away just now, is not the one to read.
                && let Ok(Some(stored)) = store.open(folder, &file).await
                && let Some(manifest) = Self::parse(stored.as_ref(), number)
            {
                newest = Some(manifest);
            }
        }
        Ok(newest)
    }

    /// None where it was not written to its end.
    fn parse(stored: &dyn StoredFile, number: u64) -> Option<Self> {
        if stored.length() > MAX_BYTES {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(stored.length()).ok()?];
        stored.read_at(0, &mut bytes).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        let (sum, json) = text.split_once('\n')?;
        if sum != hex(&Sha256::digest(json.as_bytes())) {
            return None;
        }
        let manifest: Self = serde_json::from_str(json).ok()?;
        Some(Self { number, ..manifest })
    }

    /// Its file: a line with the SHA-256 of the rest, then JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // A tree of text and numbers always becomes JSON.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{}\n{json}", hex(&Sha256::digest(json.as_bytes()))).into_bytes()
    }

    /// Name of its file.
    pub(crate) fn file_name(&self) -> String {
        format!("{NAME}{:08}", self.number)
    }

    /// Writes it as a new version, and removes the older ones.
    pub(crate) async fn write(&mut self, store: &dyn Store, folder: &str) -> Result<()> {
        self.number += 1;
        let mut file = store.create(folder, &self.file_name()).await?;
        file.write(&self.to_bytes())?;
        file.finish()?;
        self.remove_older(store, folder).await
    }

    /// Removes the manifests that this one replaces.
    pub(crate) async fn remove_older(&self, store: &dyn Store, folder: &str) -> Result<()> {
        for file in store.files(folder).await? {
            let number = file.strip_prefix(NAME).and_then(|number| number.parse::<u64>().ok());
            if number.is_some_and(|number| number < self.number) {
                store.remove(folder, Some(&file)).await?;
            }
        }
        Ok(())
    }

    /// Bytes of all pieces.
    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.values().map(|kept| kept.length).sum()
    }
}

/// Whether `stored` is what `kept` says.
pub(crate) fn is_whole(stored: &dyn StoredFile, kept: &Kept) -> bool {
    let mut sum = Sha256::new();
    let read = stored.length() == kept.length
        && for_each_step(stored, 0..kept.length, &mut |bytes| {
            sum.update(bytes);
            Ok(())
        })
        .is_ok();
    read && hex(&sum.finalize()) == kept.sha256
}

/// Hands `range` of a stored file to `sink`, a step at a time.
pub(crate) fn for_each_step(
    stored: &dyn StoredFile,
    range: Range<u64>,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; STEP.min(usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(STEP))];
    let mut start = range.start;
    while start < range.end {
        let count = usize::try_from(range.end - start).map_or(buffer.len(), |left| left.min(buffer.len()));
        stored.read_at(start, &mut buffer[..count])?;
        sink(&buffer[..count])?;
        start += count as u64;
    }
    Ok(())
}
