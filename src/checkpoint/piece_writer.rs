//! Writes downloaded pieces into the store while their bytes stream past.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::manifest::{self, Manifest, hex};
use super::store::{Store, StoredFileWriter};
use crate::error::{Error, Result};

/// A piece of a file: its name in the store, and its byte range (None: the whole file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) range: Option<Range<u64>>,
}

/// A piece that is being written, with the manifest that will list it and all pieces before it.
struct Slot {
    piece: Piece,
    file: Box<dyn StoredFileWriter>,
    manifest: Box<dyn StoredFileWriter>,
    manifest_name: String,
}

impl Slot {
    async fn create(store: &dyn Store, folder: &str, piece: &Piece, manifest_name: String) -> Result<Self> {
        Ok(Self {
            piece: piece.clone(),
            file: store.create(folder, &piece.name).await?,
            manifest: store.create(folder, &manifest_name).await?,
            manifest_name,
        })
    }

    /// The names of the piece's and the manifest's files.
    fn names(&self) -> [String; 2] {
        [self.piece.name.clone(), self.manifest_name.clone()]
    }
}

/// What a [`PieceWriter`] has written.
pub(crate) struct WriteOutcome {
    /// The manifest that is in the store now.
    pub(crate) manifest: Manifest,
    /// Why writing stopped early, if it did.
    pub(crate) failed: Option<Error>,
    /// Incomplete files, to be removed.
    pub(crate) unfinished: Vec<String>,
}

/// Writes a series of adjacent pieces. A new manifest is written after each piece, so that finished pieces count even
/// if the run is interrupted.
pub(crate) struct PieceWriter {
    manifest: Manifest,
    slots: std::vec::IntoIter<Slot>,
    current: Option<(Slot, Sha256, u64)>,
    failed: Option<Error>,
    unfinished: Vec<String>,
}

impl PieceWriter {
    /// Opens all files in advance, so that [`PieceWriter::push`] never has to wait.
    pub(crate) async fn new(store: &dyn Store, folder: &str, manifest: &Manifest, pieces: &[Piece]) -> Result<Self> {
        let mut slots = Vec::with_capacity(pieces.len());
        let mut next = manifest.clone();
        for piece in pieces {
            next.number += 1;
            match Slot::create(store, folder, piece, next.file_name()).await {
                Ok(slot) => slots.push(slot),
                Err(error) => {
                    let names = slots
                        .iter()
                        .flat_map(Slot::names)
                        .chain([piece.name.clone(), next.file_name()]);
                    let names: Vec<String> = names.collect();
                    drop(slots);
                    for name in &names {
                        let _ = store.remove(folder, Some(name)).await;
                    }
                    return Err(error);
                }
            }
        }
        let mut piece_writer = Self {
            manifest: manifest.clone(),
            slots: slots.into_iter(),
            current: None,
            failed: None,
            unfinished: Vec::new(),
        };
        piece_writer.begin_next();
        Ok(piece_writer)
    }

    fn begin_next(&mut self) {
        self.current = self.slots.next().map(|slot| (slot, Sha256::new(), 0));
    }

    /// Writes the next bytes. After a failed write, the rest is ignored.
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

    /// Marks the end of a file that is stored as a single piece.
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
        let kept = manifest::StoredPiece {
            length,
            sha256: hex(&sum.finalize()),
        };
        let mut manifest = self.manifest.clone();
        manifest.number += 1;
        manifest.pieces.insert(slot.piece.name.clone(), kept);
        let bytes = manifest.to_bytes();
        let names = slot.names();
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
            Err(error) => {
                self.unfinished.extend(names);
                self.fail(error);
            }
        }
    }

    fn fail(&mut self, error: Error) {
        self.failed = Some(error);
        self.close();
    }

    /// Discards what is not finished.
    fn close(&mut self) {
        let current = self.current.take().map(|(slot, ..)| slot);
        let slots = std::mem::take(&mut self.slots);
        let left = current.into_iter().chain(slots);
        self.unfinished.extend(left.flat_map(|slot| slot.names()));
    }

    /// Ends writing and returns the outcome. A piece that is not complete by now is discarded.
    pub(crate) fn into_parts(mut self) -> WriteOutcome {
        self.close();
        WriteOutcome {
            manifest: self.manifest,
            failed: self.failed,
            unfinished: self.unfinished,
        }
    }
}
