//! Simulated visits of a page that stores what it reads: an in-memory server, a store, and access to its content.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;

use futures::future::LocalBoxFuture;
use keyside::Result;
use keyside::checkpoint::{MemorySource, MemoryStore, Sink, Source, Store, StoredSource, Traffic, stored_models};

use super::block_on;

pub const WEIGHTS: &str = "model.safetensors";

/// Bytes that a server hands over at once.
pub const STEP: usize = 64;

/// A file and the range of it that was asked for.
pub type RequestedRange = (String, Option<Range<u64>>);

/// Files as a server has them; says what was read, and lets others work after every step.
#[derive(Clone)]
pub struct Server {
    /// The current files.
    pub files: Rc<RefCell<MemorySource>>,
    read: Rc<RefCell<Vec<RequestedRange>>>,
    /// Bytes read, but for samples.
    pub bytes: Rc<RefCell<u64>>,
    samples: Rc<RefCell<Vec<Range<u64>>>>,
    /// The current version label of the files.
    pub label: Rc<RefCell<Option<String>>>,
}

impl Server {
    pub fn new(files: MemorySource) -> Self {
        Self {
            files: Rc::new(RefCell::new(files)),
            read: Rc::default(),
            bytes: Rc::default(),
            samples: Rc::default(),
            label: Rc::default(),
        }
    }

    /// A file of 1000 bytes, to be divided into ten pieces.
    pub fn small() -> Self {
        Self::new(MemorySource::new().with(WEIGHTS, small_file()))
    }

    /// Flips the last bit of all bytes of the small file's pieces from `first` to `last`.
    pub fn change(&self, first: usize, last: usize) {
        let mut bytes = small_file();
        bytes[first * 100..(last + 1) * 100]
            .iter_mut()
            .for_each(|byte| *byte ^= 1);
        *self.files.borrow_mut() = MemorySource::new().with(WEIGHTS, bytes);
    }

    /// The samples read since the last call: a few bytes from the inside of a piece.
    pub fn take_samples(&self) -> Vec<Range<u64>> {
        self.samples.take()
    }

    /// The bytes read since the last call, but for samples.
    pub fn take_bytes(&self) -> u64 {
        self.read.borrow_mut().clear();
        self.bytes.take()
    }

    pub fn ranges(&self) -> Vec<Option<Range<u64>>> {
        self.read.borrow().iter().map(|(_, range)| range.clone()).collect()
    }
}

impl Source for Server {
    fn location(&self) -> String {
        "https://example.org/model".to_owned()
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let files = self.files.borrow().clone();
            let bytes = files.read(file, range.clone()).await?;
            let sample = range
                .clone()
                .filter(|range| range.end - range.start <= 6 && range.start % 100 == 44);
            match &sample {
                Some(sample) => self.samples.borrow_mut().push(sample.clone()),
                None => self.read.borrow_mut().push((file.to_owned(), range)),
            }
            for step in bytes.chunks(STEP) {
                turn().await;
                if sample.is_none() {
                    *self.bytes.borrow_mut() += step.len() as u64;
                }
                sink(step)?;
            }
            Ok(())
        })
    }

    fn label(&self, _file: &str) -> Option<String> {
        self.label.borrow().clone()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            network: *self.bytes.borrow(),
            ..Traffic::default()
        }
    }
}

/// Lets others work once.
pub async fn turn() {
    let mut has_yielded = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub fn small_file() -> Vec<u8> {
    (0..1000u32).map(|i| (i * 7 % 251) as u8).collect()
}

/// A visit: a source over what `server` has and `store` keeps, its file divided into ten pieces.
pub fn visit(server: &Server, store: &MemoryStore) -> StoredSource {
    let source = StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()));
    let pieces: Vec<Range<u64>> = (0..10).map(|index| index * 100..(index + 1) * 100).collect();
    source.divide(WEIGHTS, &pieces);
    source
}

pub fn read(source: &StoredSource, range: Range<u64>) -> Vec<u8> {
    block_on(source.read(WEIGHTS, Some(range))).unwrap()
}

pub fn folder(store: &MemoryStore) -> String {
    block_on(stored_models(store)).unwrap()[0].folder.clone()
}

/// Name of the piece from `start` on.
pub fn piece(start: u64) -> String {
    format!("{WEIGHTS}.{start}-{}", start + 100)
}

/// Replaces the file `name` by what `change` makes of it.
pub fn damage(store: &MemoryStore, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let folder = folder(store);
    let mut bytes = store.get(&folder, name).expect("is stored").to_vec();
    change(&mut bytes);
    store.put(&folder, name, bytes);
}

/// Names of the files that are in the store, and those that its manifest names.
pub fn files_and_named(store: &MemoryStore) -> (Vec<String>, Vec<String>) {
    let Some(model) = block_on(stored_models(store)).unwrap().into_iter().next() else {
        return Default::default();
    };
    let files = block_on(store.files(&model.folder)).unwrap();
    let names = |manifest: &str| {
        let bytes = store.get(&model.folder, manifest)?;
        let json = std::str::from_utf8(&bytes).ok()?.split_once('\n')?.1;
        let json: serde_json::Value = serde_json::from_str(json).ok()?;
        Some(json["pieces"].as_object()?.keys().cloned().collect::<Vec<_>>())
    };
    let mut manifests = files.iter().rev().filter(|name| name.starts_with("manifest-"));
    let Some((manifest, mut named)) = manifests.find_map(|manifest| Some((manifest, names(manifest)?))) else {
        return (files, Vec::new());
    };
    named.push(manifest.clone());
    named.sort();
    (files, named)
}
