//! Reads missing pieces from the inner source, and stores them.

use std::cell::RefCell;
use std::ops::Range;

use super::super::notices::not_kept;
use super::super::piece_writer::{Piece, PieceWriter, WriteOutcome};
use super::super::source::{Sink, Source};
use super::super::version_probe::changed;
use super::StoredSource;
use crate::error::{ErrorKind, Result};

/// Storage that is left free, in bytes.
const RESERVE: u64 = 8 << 20;

impl StoredSource {
    /// Reads the first of `parts`, which is not stored, and the following ones up to one that is stored, from the inner
    /// source. Returns how many it read: 0 if another tab has stored the first one in the meantime.
    pub(super) async fn fetch(
        &self,
        file: &str,
        parts: &[(Piece, Option<Range<u64>>)],
        sink: &mut Sink<'_>,
    ) -> Result<usize> {
        let held = self.store.lock(&self.folder).await;
        if held.is_ok() {
            self.load_manifest(true).await;
            self.sweep().await;
        }
        if self.state.borrow().replaced {
            return Err(changed(file, &self.location()));
        }
        let Some((first, _)) = parts.first() else { return Ok(0) };
        if self.is_kept(first) {
            if self.whole(first).await.is_some() {
                return Ok(0);
            }
            self.forget(|name| name == first.name).await;
        }
        self.compare(file).await?;
        let missing = parts.iter().take_while(|(piece, _)| !self.is_kept(piece)).count();
        let parts = &parts[..missing];
        let Some((last, _)) = parts.last() else { return Ok(0) };
        let span = |from: &Piece, to: &Piece| Some(from.range.as_ref()?.start..to.range.as_ref()?.end);
        let range = span(first, last);
        let bytes = range.as_ref().map_or(0, |range| range.end - range.start);
        let piece_writer = self.piece_writer(parts, bytes).await;
        let wanted = parts
            .first()
            .zip(parts.last())
            .and_then(|((_, from), (_, to))| Some(from.as_ref()?.start..to.as_ref()?.end));
        let outcome = match piece_writer {
            Some(piece_writer) => self.read_and_keep(file, range, wanted, piece_writer, sink).await,
            // Nothing is stored, so only the wanted bytes are read.
            None => self.inner.stream(file, wanted, sink).await,
        };
        if outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::Changed) {
            self.forget(|_| true).await;
        }
        outcome.map(|()| missing)
    }

    /// Reads `range` of `file` and stores it; passes the bytes in `wanted` to `sink`.
    async fn read_and_keep(
        &self,
        file: &str,
        range: Option<Range<u64>>,
        wanted: Option<Range<u64>>,
        piece_writer: PieceWriter,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let piece_writer = RefCell::new(piece_writer);
        let mut at = range.as_ref().map_or(0, |range| range.start);
        let mut tee = |bytes: &[u8]| {
            sink(overlap(bytes, at, wanted.as_ref()))?;
            piece_writer.borrow_mut().push(bytes);
            at += bytes.len() as u64;
            Ok(())
        };
        let outcome = self.inner.stream(file, range, &mut tee).await;
        let mut piece_writer = piece_writer.into_inner();
        if outcome.is_ok() {
            piece_writer.end_of_file();
        }
        self.kept(file, piece_writer).await;
        outcome
    }

    /// A writer for `parts`, `bytes` bytes in total; None where there is no space.
    async fn piece_writer(&self, parts: &[(Piece, Option<Range<u64>>)], bytes: u64) -> Option<PieceWriter> {
        let full = self.state.borrow().full.clone();
        if let Some(cause) = full {
            // Reported again, because a new run clears the notices.
            self.give_up(cause);
            return None;
        }
        let space = self.store.space().await;
        if let Some(space) = space
            && space.quota.saturating_sub(space.usage) < bytes + RESERVE
        {
            let free = space.quota.saturating_sub(space.usage) / 1_000_000;
            self.give_up(format!("{free} MB are free"));
            return None;
        }
        if space.is_some_and(|space| !space.persistent) {
            self.store.persist().await;
        }
        let manifest = self.state.borrow().manifest.clone()?;
        let pieces: Vec<Piece> = parts.iter().map(|(piece, _)| piece.clone()).collect();
        match PieceWriter::new(self.store.as_ref(), &self.folder, &manifest, &pieces).await {
            Ok(piece_writer) => Some(piece_writer),
            Err(error) => {
                // The folder may have been created just now.
                self.remove_if_empty().await;
                self.give_up(error.cause);
                None
            }
        }
    }

    /// Takes over the outcome of a [`PieceWriter`].
    async fn kept(&self, file: &str, piece_writer: PieceWriter) {
        let WriteOutcome {
            mut manifest,
            failed,
            unfinished,
        } = piece_writer.into_parts();
        for name in &unfinished {
            // An incomplete file is useless and takes up space.
            let _ = self.store.remove(&self.folder, Some(name)).await;
        }
        let mut news = false;
        if let Some(length) = self.inner.length(file).await.ok().flatten() {
            news |= manifest.lengths.insert(file.to_owned(), length) != Some(length);
        }
        if let Some(label) = self.inner.label(file) {
            news |= manifest.labels.insert(file.to_owned(), label.clone()).as_ref() != Some(&label);
        }
        let written = if news && failed.is_none() {
            manifest.write(self.store.as_ref(), &self.folder).await
        } else {
            manifest.remove_older(self.store.as_ref(), &self.folder).await
        };
        self.remove_if_empty().await;
        {
            let mut state = self.state.borrow_mut();
            // Pieces written by this source need not be checked again.
            let new: Vec<String> = manifest
                .pieces
                .keys()
                .filter(|name| {
                    !state
                        .manifest
                        .as_ref()
                        .is_some_and(|old| old.pieces.contains_key(*name))
                })
                .cloned()
                .collect();
            state.fresh.extend(new.iter().cloned());
            state.checked.extend(new);
            state.manifest = Some(manifest);
        }
        if let Some(error) = failed.or(written.err()) {
            self.give_up(error.cause);
        }
    }

    fn give_up(&self, cause: String) {
        self.notices.set_not_kept(not_kept(&cause));
        self.state.borrow_mut().full = Some(cause);
    }
}

/// The part of `bytes`, which begin at offset `at`, that is in `wanted`.
fn overlap<'b>(bytes: &'b [u8], at: u64, wanted: Option<&Range<u64>>) -> &'b [u8] {
    let Some(wanted) = wanted else { return bytes };
    let within =
        |place: u64| usize::try_from(place.saturating_sub(at)).map_or(bytes.len(), |place| place.min(bytes.len()));
    &bytes[within(wanted.start)..within(wanted.end)]
}
