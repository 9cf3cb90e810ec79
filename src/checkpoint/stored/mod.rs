//! A source that stores what it reads, and reads from the store what it has.

mod cleanup;
mod fetch;
mod version_check;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::manifest::{self, Manifest};
use super::notices::NoticeBoard;
use super::piece_writer::Piece;
use super::source::{Sink, Source, Traffic};
use super::store::{Store, StoredFile};
use crate::error::Result;

/// Wraps another source: its pieces are stored, and read from the store the next time.
///
/// A piece counts once a manifest lists its length and SHA-256. Each piece is verified before its first use; a damaged
/// one is read from the inner source again. When the store is full, reading goes on without it. Before pieces are added
/// to those of an earlier visit, samples of the stored ones are compared with the inner source.
pub struct StoredSource {
    inner: Box<dyn Source>,
    store: Rc<dyn Store>,
    folder: String,
    state: RefCell<State>,
    from_storage: Cell<u64>,
    notices: NoticeBoard,
}

#[derive(Default)]
struct State {
    /// None until the store has been searched for it.
    manifest: Option<Manifest>,
    pieces: BTreeMap<String, Vec<Range<u64>>>,
    /// Pieces that were verified or written since this source was created.
    checked: BTreeSet<String>,
    /// Pieces that this source has read from the inner source.
    fresh: BTreeSet<String>,
    /// Whether the pieces of earlier visits are known to match the inner source's current version.
    compared: bool,
    /// Whether unlisted files have been removed.
    swept: bool,
    /// Whether another tab has replaced pieces that this source has used.
    replaced: bool,
    /// Why nothing more is stored, if so.
    full: Option<String>,
}

impl StoredSource {
    /// `inner`, with its pieces stored in `store` under its location.
    pub fn new(inner: Box<dyn Source>, store: Rc<dyn Store>) -> Self {
        Self {
            folder: manifest::folder_name(&inner.location()),
            inner,
            store,
            state: RefCell::default(),
            from_storage: Cell::new(0),
            notices: NoticeBoard::default(),
        }
    }

    /// The same source, which reports on `notices` when nothing is stored.
    #[must_use]
    pub fn with_notices(mut self, notices: NoticeBoard) -> Self {
        self.notices = notices;
        self
    }

    /// Loads the manifest from the store: once, or again if `again`.
    async fn load_manifest(&self, anew: bool) {
        if !anew && self.state.borrow().manifest.is_some() {
            return;
        }
        let found = Manifest::read(self.store.as_ref(), &self.folder).await;
        let mut state = self.state.borrow_mut();
        if let (Ok(Some(found)), Some(known)) = (&found, &state.manifest) {
            state.replaced |= found.contradicts(known);
        }
        let empty = || Manifest {
            location: self.inner.location(),
            ..Manifest::default()
        };
        state.manifest = Some(match found {
            Ok(found) => found.unwrap_or_else(empty),
            Err(error) => {
                state.full = Some(error.cause);
                empty()
            }
        });
    }

    /// The pieces that contain `range` of `file`, each with the part of it that is wanted.
    fn parts(&self, file: &str, range: Option<Range<u64>>) -> Vec<(Piece, Option<Range<u64>>)> {
        let piece = |range: Option<Range<u64>>| Piece {
            name: manifest::piece_name(file, range.as_ref()),
            range,
        };
        let Some(range) = range else {
            return vec![(piece(None), None)];
        };
        let state = self.state.borrow();
        let mut parts = Vec::new();
        let mut start = range.start;
        for whole in state.pieces.get(file).into_iter().flatten() {
            if whole.start > start || start >= range.end {
                break;
            }
            if whole.end > start {
                let wanted = start..whole.end.min(range.end);
                start = wanted.end;
                parts.push((piece(Some(whole.clone())), Some(wanted)));
            }
        }
        match start < range.end {
            // Not one of the divided ranges: the header, for example.
            true => vec![(piece(Some(range.clone())), Some(range))],
            false => parts,
        }
    }

    fn is_kept(&self, piece: &Piece) -> bool {
        let state = self.state.borrow();
        state
            .manifest
            .as_ref()
            .is_some_and(|manifest| manifest.pieces.contains_key(&piece.name))
    }

    /// Opens a stored piece and returns it with its length; None where it is not stored or damaged.
    async fn whole(&self, piece: &Piece) -> Option<(Box<dyn StoredFile>, u64)> {
        let kept = {
            let state = self.state.borrow();
            state.manifest.as_ref()?.pieces.get(&piece.name).cloned()?
        };
        let stored = self.store.open(&self.folder, &piece.name).await.ok().flatten()?;
        let checked = self.state.borrow().checked.contains(&piece.name) && stored.length() == kept.length;
        if !checked && !manifest::is_whole(stored.as_ref(), &kept) {
            return None;
        }
        self.state.borrow_mut().checked.insert(piece.name.clone());
        Some((stored, kept.length))
    }

    /// Passes the wanted part of a stored piece to `sink`; false where it is not stored or damaged.
    async fn feed(&self, piece: &Piece, wanted: Option<&Range<u64>>, sink: &mut Sink<'_>) -> Result<bool> {
        let Some((stored, length)) = self.whole(piece).await else {
            return Ok(false);
        };
        let start = piece.range.as_ref().map_or(0, |range| range.start);
        let within = wanted.map_or(0..length, |wanted| wanted.start - start..wanted.end - start);
        manifest::for_each_step(stored.as_ref(), within, &mut |bytes| {
            self.from_storage.set(self.from_storage.get() + bytes.len() as u64);
            sink(bytes)
        })?;
        Ok(true)
    }
}

impl Source for StoredSource {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.load_manifest(false).await;
            self.sweep_at_first().await;
            let parts = self.parts(file, range);
            let mut done = 0;
            while let Some((piece, wanted)) = parts.get(done) {
                if self.feed(piece, wanted.as_ref(), sink).await? {
                    done += 1;
                    continue;
                }
                done += self.fetch(file, &parts[done..], sink).await?;
            }
            Ok(())
        })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move {
            self.load_manifest(false).await;
            let stored = self
                .state
                .borrow()
                .manifest
                .as_ref()
                .and_then(|manifest| manifest.lengths.get(file).copied());
            match stored {
                Some(length) => Ok(Some(length)),
                None => self.inner.length(file).await,
            }
        })
    }

    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        self.inner.listing()
    }

    fn has<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        self.inner.has(file)
    }

    fn keeps<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        Box::pin(async move {
            self.load_manifest(false).await;
            let state = self.state.borrow();
            let mut names = state.manifest.iter().flat_map(|manifest| manifest.pieces.keys());
            names.any(|name| manifest::of_piece(name).0 == file)
        })
    }

    fn divide(&self, file: &str, pieces: &[Range<u64>]) {
        self.state.borrow_mut().pieces.insert(file.to_owned(), pieces.to_vec());
    }

    fn invalidate<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let names: BTreeSet<String> = self
                .parts(file, range)
                .into_iter()
                .map(|(piece, _)| piece.name)
                .collect();
            let held = self.store.lock(&self.folder).await;
            if held.is_ok() {
                self.load_manifest(true).await;
            }
            self.forget(|name| names.contains(name)).await;
        })
    }

    fn mark_stale(&self) {
        self.inner.mark_stale();
    }

    fn label(&self, file: &str) -> Option<String> {
        self.inner.label(file)
    }

    fn reads_from_the_start(&self) -> bool {
        self.inner.reads_from_the_start()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            storage: self.from_storage.get(),
            network: self.inner.traffic().network,
        }
    }
}
