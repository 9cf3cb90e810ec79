//! Writes pieces into the store while their bytes pass by.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::manifest::{Kept, Manifest, hex};
use super::store::{Store, StoredFileWriter};
use crate::error::{Error, Result};

/// A piece of a file: its name in the store, and where it is (None: the whole file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) range: Option<Range<u64>>,
}

/// A piece that is being written, and the manifest that lists it and those before it.
struct Slot {
    piece: Piece,
    file: Box<dyn StoredFileWriter>,
    manifest: Box<dyn StoredFileWriter>,
}

/// Writes a run of neighbouring pieces. The manifest is written anew after each piece, so that what was finished
/// counts, however the run ends.
pub(crate) struct Keeper {
    manifest: Manifest,
    slots: std::vec::IntoIter<Slot>,
    current: Option<(Slot, Sha256, u64)>,
    failed: Option<Error>,
}

impl Keeper {
    /// Opens everything that will be written: there is no waiting while bytes pass.
    pub(crate) async fn new(store: &dyn Store, folder: &str, manifest: &Manifest, pieces: &[Piece]) -> Result<Self> {
        let mut slots = Vec::with_capacity(pieces.len());
        let mut next = manifest.clone();
        for piece in pieces {
            next.number += 1;
            slots.push(Slot {
                piece: piece.clone(),
                file: store.create(folder, &piece.name).await?,
                manifest: store.create(folder, &next.file_name()).await?,
            });
        }
        let mut keeper = Self {
            manifest: manifest.clone(),
            slots: slots.into_iter(),
            current: None,
            failed: None,
        };
        keeper.begin_next();
        Ok(keeper)
    }

    fn begin_next(&mut self) {
        self.current = self.slots.next().map(|slot| (slot, Sha256::new(), 0));
    }

    /// Takes the next bytes. Where they can't be written, the rest is not kept.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Some((slot, sum, length)) = &mut self.current else {
                return;
            };
            let left = slot.piece.range.as_ref().map(|range| range.end - range.start - *length);
            let count = left.map_or(bytes.len(), |left| {
                usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
            });
            if let Err(error) = slot.file.write(&bytes[..count]) {
                return self.fail(error);
            }
            sum.update(&bytes[..count]);
            *length += count as u64;
            bytes = &bytes[count..];
            if left == Some(count as u64) {
                self.end_piece();
            }
        }
    }

    /// The bytes of a whole file have all passed.
    pub(crate) fn end_of_file(&mut self) {
        if self
            .current
            .as_ref()
            .is_some_and(|(slot, ..)| slot.piece.range.is_none())
        {
            self.end_piece();
        }
    }

    fn end_piece(&mut self) {
        let Some((slot, sum, length)) = self.current.take() else {
            return;
        };
        let kept = Kept {
            length,
            sha256: hex(&sum.finalize()),
        };
        let mut manifest = self.manifest.clone();
        manifest.number += 1;
        manifest.pieces.insert(slot.piece.name.clone(), kept);
        let bytes = manifest.to_bytes();
        let written = slot.file.finish().and_then(|()| {
            let mut file = slot.manifest;
            file.write(&bytes)?;
            file.finish()
        });
        match written {
            Ok(()) => {
                self.manifest = manifest;
                self.begin_next();
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: Error) {
        self.failed = Some(error);
        self.current = None;
        self.slots = Vec::new().into_iter();
    }

    /// The manifest as it is in the store now, and why writing stopped, if it did.
    pub(crate) fn into_parts(self) -> (Manifest, Option<Error>) {
        (self.manifest, self.failed)
    }
}
