//! The manifest of a stored model: which pieces are stored, with their lengths and hashes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::store::{Store, StoredFile};
use crate::error::{Error, Result};

/// Prefix of manifest file names; a number follows.
const NAME: &str = "manifest-";
/// Limit of a manifest's length in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Bytes read from the store at a time.
const STEP: usize = 1 << 20;

/// One stored piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPiece {
    /// The length in bytes.
    pub(crate) length: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// What is stored of a model. It is written after the pieces that it lists; files that it does not list do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// URL or path that the model was read from.
    pub(crate) location: String,
    /// Known lengths of whole files.
    pub(crate) lengths: BTreeMap<String, u64>,
    /// Version labels of the files (`ETag` or `Last-Modified`), where the server sent one.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// The pieces, by [`piece_name`].
    pub(crate) pieces: BTreeMap<String, StoredPiece>,
    /// Version number; each write increments it.
    #[serde(skip)]
    pub(crate) number: u64,
}

/// Name in the store of a piece of `file` (the whole file where `range` is None). Characters that stores do not allow
/// are escaped as `_` and two hexadecimal digits per byte.
pub(crate) fn piece_name(file: &str, range: Option<&Range<u64>>) -> String {
    let mut name = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => name.push(char::from(byte)),
            _ => name.push_str(&format!("_{byte:02x}")),
        }
    }
    match range {
        Some(range) => format!("{name}.{}-{}", range.start, range.end),
        None => name,
    }
}

/// The file and range that a [`piece_name`] stands for.
pub(crate) fn of_piece(name: &str) -> (String, Option<Range<u64>>) {
    let range = |text: &str| {
        let (start, end) = text.split_once('-')?;
        Some(start.parse().ok()?..end.parse().ok()?)
    };
    match name.rsplit_once('.').map(|(file, text)| (file, range(text))) {
        Some((file, Some(range))) => (of_store(file), Some(range)),
        _ => (of_store(name), None),
    }
}

/// Undoes the escaping of [`piece_name`].
fn of_store(name: &str) -> String {
    let mut parts = name.split('_');
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(u8::from_str_radix(digits, 16).ok());
        bytes.extend(rest.bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Name of the folder in the store for the model at `location`.
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
    /// The newest valid manifest in `folder`; None where there is none.
    pub(crate) async fn read(store: &dyn Store, folder: &str) -> Result<Option<Self>> {
        // Manifests that are being written or removed at the moment are skipped.
        Ok(Self::newest(store, folder).await?.0)
    }

    /// As [`Manifest::read`], but an error where any manifest could not be read.
    pub(crate) async fn read_complete(store: &dyn Store, folder: &str) -> Result<Option<Self>> {
        match Self::newest(store, folder).await? {
            (newest, None) => Ok(newest),
            (_, Some(error)) => Err(error),
        }
    }

    /// The newest valid manifest, and the error that kept others from being read.
    async fn newest(store: &dyn Store, folder: &str) -> Result<(Option<Self>, Option<Error>)> {
        let (mut newest, mut failed) = (None::<Self>, None);
        for file in store.files(folder).await? {
            let number = file.strip_prefix(NAME).and_then(|number| number.parse().ok());
            let Some(number) = number else { continue };
            if newest.as_ref().is_some_and(|newest| newest.number >= number) {
                continue;
            }
            match store.open(folder, &file).await {
                Ok(Some(stored)) => match Self::parse(stored.as_ref(), number) {
                    Ok(parsed) => newest = parsed.or(newest),
                    Err(error) => failed = Some(error),
                },
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        Ok((newest, failed))
    }

    /// None where the manifest was not written completely.
    fn parse(stored: &dyn StoredFile, number: u64) -> Result<Option<Self>> {
        if stored.length() > MAX_BYTES {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(stored.length()).unwrap_or_default()];
        stored.read_at(0, &mut bytes)?;
        Ok(Self::from_bytes(&bytes, number))
    }

    fn from_bytes(bytes: &[u8], number: u64) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (sum, json) = text.split_once('\n')?;
        if sum != hex(&Sha256::digest(json.as_bytes())) {
            return None;
        }
        let manifest: Self = serde_json::from_str(json).ok()?;
        Some(Self { number, ..manifest })
    }

    /// The content of its file: a line with the SHA-256 of the rest, then JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Serializing strings and numbers cannot fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{}\n{json}", hex(&Sha256::digest(json.as_bytes()))).into_bytes()
    }

    /// The file name.
    pub(crate) fn file_name(&self) -> String {
        format!("{NAME}{:08}", self.number)
    }

    /// Writes it as the next version, and removes older versions.
    pub(crate) async fn write(&mut self, store: &dyn Store, folder: &str) -> Result<()> {
        self.number += 1;
        let mut file = store.create(folder, &self.file_name()).await?;
        let written = file.write(&self.to_bytes()).and_then(|()| file.finish());
        if written.is_err() {
            let _ = store.remove(folder, Some(&self.file_name())).await;
            self.number -= 1;
            return written;
        }
        self.remove_older(store, folder).await
    }

    /// Removes the older versions.
    pub(crate) async fn remove_older(&self, store: &dyn Store, folder: &str) -> Result<()> {
        for file in store.files(folder).await? {
            let number = file.strip_prefix(NAME).and_then(|number| number.parse::<u64>().ok());
            if number.is_some_and(|number| number < self.number) {
                store.remove(folder, Some(&file)).await?;
            }
        }
        Ok(())
    }

    /// Whether both list a piece, but with different hashes: then they are of two versions of the model.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let differs = |(name, kept): (&String, &StoredPiece)| other.pieces.get(name).is_some_and(|other| other != kept);
        self.pieces.iter().any(differs)
    }

    /// Total length of all pieces in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.pieces.values().map(|kept| kept.length).sum()
    }
}

/// Whether the length and hash of the file `stored` are those of `kept`.
pub(crate) fn is_whole(stored: &dyn StoredFile, kept: &StoredPiece) -> bool {
    let mut sum = Sha256::new();
    let read = stored.length() == kept.length
        && for_each_step(stored, 0..kept.length, &mut |bytes| {
            sum.update(bytes);
            Ok(())
        })
        .is_ok();
    read && hex(&sum.finalize()) == kept.sha256
}

/// Reads `range` of a stored file in steps, and passes each to `sink`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_names_that_say_of_what() {
        for (file, range, name) in [
            ("model.safetensors", Some(8..100), "model.safetensors.8-100"),
            ("config.json", None, "config.json"),
            (
                "Model_1-of-2.safetensors",
                Some(0..8),
                "_4dodel_5f1-of-2.safetensors.0-8",
            ),
            ("a b.safetensors", None, "a_20b.safetensors"),
        ] {
            assert_eq!(piece_name(file, range.as_ref()), name);
            assert_eq!(of_piece(name), (file.to_owned(), range));
        }
    }
}
