//! A source that keeps what it reads, and reads what it kept.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::keeper::{Keeper, Piece};
use super::manifest::{self, Manifest};
use super::source::{Sink, Source, Traffic};
use super::store::{Store, StoredFile};
use crate::error::{Error, ErrorKind, Result};

/// Room that is left free in the browser's storage, in bytes.
const RESERVE: u64 = 8 << 20;

/// Another source, whose pieces are kept in a store and read from there the next time.
///
/// A piece counts once a manifest lists its length and SHA-256, and is checked before it is used; one that is not
/// whole is read from the other source again. Where the store can't take more, reading goes on without it.
pub struct StoredSource {
    inner: Box<dyn Source>,
    store: Rc<dyn Store>,
    folder: String,
    state: RefCell<State>,
    from_storage: Cell<u64>,
}

#[derive(Default)]
struct State {
    /// None until it has been looked for.
    manifest: Option<Manifest>,
    pieces: BTreeMap<String, Vec<Range<u64>>>,
    /// Pieces that were checked or written since this source was made.
    checked: BTreeSet<String>,
    /// Pieces that this source itself has read from the other one.
    fresh: BTreeSet<String>,
    /// Whether pieces of an earlier visit are known to be of the file that the other source has now.
    compared: bool,
    /// Why nothing more is kept.
    full: Option<String>,
}

impl StoredSource {
    /// `inner`, kept in `store` under its location.
    pub fn new(inner: Box<dyn Source>, store: Rc<dyn Store>) -> Self {
        Self {
            folder: manifest::folder_name(&inner.location()),
            inner,
            store,
            state: RefCell::default(),
            from_storage: Cell::new(0),
        }
    }

    /// Looks for what is stored, once, or again where `anew`.
    async fn look(&self, anew: bool) {
        if !anew && self.state.borrow().manifest.is_some() {
            return;
        }
        let found = Manifest::read(self.store.as_ref(), &self.folder).await;
        let mut state = self.state.borrow_mut();
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

    /// The pieces that `range` of `file` is in, and the part of each that is wanted.
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
            // Not as it was divided: the header, say.
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

    /// A stored piece and its length, open and whole; None where it is not stored, or damaged.
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

    /// Hands the wanted part of a stored piece to `sink`; false where it is not stored whole.
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

    /// Takes pieces out of the manifest and the store. The folder's lock must be held, and the manifest have been
    /// looked at since. What can't be removed now is written over later.
    async fn forget(&self, goes: impl Fn(&str) -> bool) {
        let Some(mut manifest) = self.state.borrow().manifest.clone() else {
            return;
        };
        let names: Vec<String> = manifest.pieces.keys().filter(|name| goes(name)).cloned().collect();
        if names.is_empty() {
            return;
        }
        for name in &names {
            manifest.pieces.remove(name);
            self.state.borrow_mut().checked.remove(name);
        }
        let _ = manifest.write(self.store.as_ref(), &self.folder).await;
        self.state.borrow_mut().manifest = Some(manifest);
        for name in &names {
            let _ = self.store.remove(&self.folder, Some(name)).await;
        }
    }

    /// Reads the first of `parts`, which is not stored whole, and its neighbours up to one that is stored, from the other
    /// source. Says how many it read: none where another tab has stored the first of them in the meantime.
    async fn fetch(&self, file: &str, parts: &[(Piece, Option<Range<u64>>)], sink: &mut Sink<'_>) -> Result<usize> {
        let held = self.store.lock(&self.folder).await;
        if held.is_ok() {
            self.look(true).await;
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
        let keeper = self.keeper(parts, bytes).await;
        let wanted = parts
            .first()
            .zip(parts.last())
            .and_then(|((_, from), (_, to))| Some(from.as_ref()?.start..to.as_ref()?.end));
        let Some(keeper) = keeper else {
            // Nothing is kept: no more is read than is wanted.
            self.inner.stream(file, wanted, sink).await?;
            return Ok(missing);
        };
        let keeper = RefCell::new(keeper);
        let mut at = range.as_ref().map_or(0, |range| range.start);
        let mut tee = |bytes: &[u8]| {
            sink(overlap(bytes, at, wanted.as_ref()))?;
            keeper.borrow_mut().push(bytes);
            at += bytes.len() as u64;
            Ok(())
        };
        let outcome = self.inner.stream(file, range, &mut tee).await;
        let mut keeper = keeper.into_inner();
        if outcome.is_ok() {
            keeper.end_of_file();
        }
        self.kept(file, keeper).await;
        outcome.map(|()| missing)
    }

    /// Prepares to keep `parts`, of `bytes` bytes; None where there is no room.
    async fn keeper(&self, parts: &[(Piece, Option<Range<u64>>)], bytes: u64) -> Option<Keeper> {
        if self.state.borrow().full.is_some() {
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
        match Keeper::new(self.store.as_ref(), &self.folder, &manifest, &pieces).await {
            Ok(keeper) => Some(keeper),
            Err(error) => {
                self.give_up(error.cause);
                None
            }
        }
    }

    /// Takes over what a keeper has written.
    async fn kept(&self, file: &str, keeper: Keeper) {
        let (mut manifest, failed) = keeper.into_parts();
        let length = self.inner.length(file).await.ok().flatten();
        let new_length = length.filter(|length| manifest.lengths.get(file) != Some(length));
        if let Some(length) = new_length {
            manifest.lengths.insert(file.to_owned(), length);
        }
        let written = match new_length {
            Some(_) => manifest.write(self.store.as_ref(), &self.folder).await,
            None => manifest.remove_older(self.store.as_ref(), &self.folder).await,
        };
        {
            let mut state = self.state.borrow_mut();
            // What this source wrote it need not check.
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
        self.state.borrow_mut().full = Some(cause);
    }

    /// Makes sure, before the first piece of weights is added to those of an earlier visit, that the file is still
    /// the same: its beginning, up to the end of its header, must be.
    async fn compare(&self, file: &str) -> Result<()> {
        let beginning = {
            let state = self.state.borrow();
            if state.compared || !state.pieces.contains_key(file) {
                return Ok(());
            }
            let first = state
                .pieces
                .get(file)
                .and_then(|pieces| pieces.first())
                .map_or(0, |piece| piece.start);
            let within = |name: &str, kept: &manifest::Kept| {
                let range = name
                    .strip_prefix(&format!("{}.", file.to_ascii_lowercase()))?
                    .split_once('-')?;
                let range = range.0.parse::<u64>().ok()?..range.1.parse::<u64>().ok()?;
                (range.end <= first).then(|| (range, kept.sha256.clone()))
            };
            let manifest = state.manifest.as_ref();
            let pieces = manifest.into_iter().flat_map(|manifest| &manifest.pieces);
            let earlier = pieces.filter(|(name, _)| !state.fresh.contains(*name));
            earlier
                .filter_map(|(name, kept)| within(name, kept))
                .collect::<Vec<_>>()
        };
        for (range, sha256) in beginning {
            let bytes = self.inner.read(file, Some(range)).await?;
            if manifest::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes)) != sha256 {
                self.forget(|_| true).await;
                return Err(Error::new(
                    ErrorKind::Source,
                    format!(
                        "{file} at {} has changed since parts of it were stored",
                        self.location()
                    ),
                )
                .advice("What was stored of it has been removed; run again."));
            }
        }
        self.state.borrow_mut().compared = true;
        Ok(())
    }
}

/// The bytes of `bytes`, which begin at `at`, that are in `wanted`.
fn overlap<'b>(bytes: &'b [u8], at: u64, wanted: Option<&Range<u64>>) -> &'b [u8] {
    let Some(wanted) = wanted else { return bytes };
    let within =
        |place: u64| usize::try_from(place.saturating_sub(at)).map_or(bytes.len(), |place| place.min(bytes.len()));
    &bytes[within(wanted.start)..within(wanted.end)]
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
            self.look(false).await;
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
            self.look(false).await;
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

    fn divide(&self, file: &str, pieces: &[Range<u64>]) {
        self.state.borrow_mut().pieces.insert(file.to_owned(), pieces.to_vec());
    }

    fn distrust<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let names: BTreeSet<String> = self
                .parts(file, range)
                .into_iter()
                .map(|(piece, _)| piece.name)
                .collect();
            let held = self.store.lock(&self.folder).await;
            if held.is_ok() {
                self.look(true).await;
            }
            self.forget(|name| names.contains(name)).await;
        })
    }

    fn traffic(&self) -> Traffic {
        let inner = self.inner.traffic();
        let full = self
            .state
            .borrow()
            .full
            .as_ref()
            .map(|cause| format!("The model is not kept in this browser ({cause}); the run goes on in memory."));
        Traffic {
            storage: self.from_storage.get(),
            notice: inner.notice.or(full),
            network: inner.network,
        }
    }
}
