//! Storage for pieces of checkpoints between visits, and an implementation in memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use futures::lock::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Storage usage and quota, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Space {
    /// Used by everything that the page's origin stores.
    pub usage: u64,
    /// Limit of the usage.
    pub quota: u64,
    /// Whether the browser has promised not to clear the storage by itself.
    pub persistent: bool,
}

/// Folders of files that outlive the page: the browser's storage, or memory in tests.
///
/// A file is written once, from beginning to end, and is complete after [`StoredFileWriter::finish`]. Names consist of
/// `a-z`, `0-9`, `.`, `-` and `_`.
pub trait Store {
    /// The names of all folders.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the store can't be used, here and below.
    fn folders(&self) -> LocalBoxFuture<'_, Result<Vec<String>>>;

    /// The names of the files in `folder`; none where the folder does not exist.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn files<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<Vec<String>>>;

    /// Opens a file for reading; None where it does not exist.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is being written, in some stores.
    fn open<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn StoredFile>>>>;

    /// Creates a file for writing; replaces an existing one.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is open elsewhere.
    fn create<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn StoredFileWriter>>>;

    /// Removes a file, or a folder with all its files where `file` is None. Removing what does not exist succeeds.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is being written.
    fn remove<'a>(&'a self, folder: &'a str, file: Option<&'a str>) -> LocalBoxFuture<'a, Result<()>>;

    /// Acquires the lock `name`, waiting until nobody else (in any tab) holds it. Dropping the returned value releases
    /// it.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn Any>>>;

    /// Acquires the lock `name` without waiting; None where it is held.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn try_lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn Any>>>>;

    /// Usage and quota; None where they are unknown.
    fn space(&self) -> LocalBoxFuture<'_, Option<Space>>;

    /// Asks the browser not to clear the storage without the user's consent.
    fn persist(&self) -> LocalBoxFuture<'_, ()>;
}

/// A stored file, open for reading.
pub trait StoredFile {
    /// The length in bytes.
    fn length(&self) -> u64;

    /// Fills `buffer` with the bytes that start at `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the file ends before, or can't be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;
}

/// A file that is being written. If it is dropped before [`StoredFileWriter::finish`], an incomplete file remains,
/// which readers must be able to recognize.
pub trait StoredFileWriter {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where there is no more room.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Completes the file.
    ///
    /// # Errors
    /// As [`StoredFileWriter::write`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The error for a store that fails.
pub(crate) fn storage_error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Storage, cause)
}

/// Folder and file name.
type Name = (String, String);
type Files = BTreeMap<Name, Arc<Vec<u8>>>;

/// A store in memory. Clones share the same content, as tabs of a browser do.
#[derive(Clone, Default)]
pub struct MemoryStore {
    files: Rc<RefCell<Files>>,
    quota: Rc<Cell<Option<u64>>>,
    limit: Rc<Cell<Option<u64>>>,
    writing: Rc<RefCell<BTreeSet<Name>>>,
    locks: Rc<RefCell<BTreeMap<String, Arc<Mutex<()>>>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the quota in bytes. What is stored already stays.
    pub fn set_quota(&self, bytes: u64) {
        self.quota.set(Some(bytes));
        self.limit.set(Some(bytes));
    }

    /// Sets a limit in bytes (None: unlimited) that [`Store::space`] does not report, like a full disk.
    pub fn set_limit(&self, bytes: Option<u64>) {
        self.limit.set(bytes);
    }

    /// The content of a file, if it exists.
    pub fn get(&self, folder: &str, file: &str) -> Option<Arc<Vec<u8>>> {
        self.files.borrow().get(&(folder.to_owned(), file.to_owned())).cloned()
    }

    /// Adds a file regardless of the quota.
    pub fn put(&self, folder: &str, file: &str, bytes: Vec<u8>) {
        let key = (folder.to_owned(), file.to_owned());
        self.files.borrow_mut().insert(key, Arc::new(bytes));
    }

    fn usage(&self) -> u64 {
        self.files.borrow().values().map(|bytes| bytes.len() as u64).sum()
    }
}

impl Store for MemoryStore {
    fn folders(&self) -> LocalBoxFuture<'_, Result<Vec<String>>> {
        let mut names: Vec<String> = self.files.borrow().keys().map(|(folder, _)| folder.clone()).collect();
        names.dedup();
        Box::pin(async { Ok(names) })
    }

    fn files<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<Vec<String>>> {
        let files = self.files.borrow();
        let names = files
            .keys()
            .filter(|(other, _)| other == folder)
            .map(|(_, file)| file.clone());
        let names = names.collect();
        Box::pin(async { Ok(names) })
    }

    fn open<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn StoredFile>>>> {
        let bytes = self.get(folder, file);
        Box::pin(async { Ok(bytes.map(|bytes| Box::new(MemoryFile(bytes)) as Box<dyn StoredFile>)) })
    }

    fn create<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn StoredFileWriter>>> {
        let key = (folder.to_owned(), file.to_owned());
        let created = if self.writing.borrow_mut().insert(key.clone()) {
            self.put(folder, file, Vec::new());
            let store = self.clone();
            Ok(Box::new(MemoryWriter { store, key }) as Box<dyn StoredFileWriter>)
        } else {
            Err(busy())
        };
        Box::pin(async { created })
    }

    fn remove<'a>(&'a self, folder: &'a str, file: Option<&'a str>) -> LocalBoxFuture<'a, Result<()>> {
        let goes = |(other, name): &Name| other == folder && file.is_none_or(|file| file == name);
        let removed = if self.writing.borrow().iter().any(goes) {
            Err(busy())
        } else {
            self.files.borrow_mut().retain(|key, _| !goes(key));
            Ok(())
        };
        Box::pin(async { removed })
    }

    fn lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn Any>>> {
        let lock = Arc::clone(self.locks.borrow_mut().entry(name.to_owned()).or_default());
        Box::pin(async move { Ok(Box::new(lock.lock_owned().await) as Box<dyn Any>) })
    }

    fn try_lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn Any>>>> {
        let lock = Arc::clone(self.locks.borrow_mut().entry(name.to_owned()).or_default());
        let held = lock.try_lock_owned().map(|held| Box::new(held) as Box<dyn Any>);
        Box::pin(async { Ok(held) })
    }

    fn space(&self) -> LocalBoxFuture<'_, Option<Space>> {
        let space = self.quota.get().map(|quota| Space {
            usage: self.usage(),
            quota,
            persistent: true,
        });
        Box::pin(async move { space })
    }

    fn persist(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

struct MemoryFile(Arc<Vec<u8>>);

impl StoredFile for MemoryFile {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = self.0.get(start..).and_then(|rest| rest.get(..buffer.len()));
        let bytes = bytes.ok_or_else(|| storage_error("a stored file ends too early"))?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Writes immediately: an unfinished file exists, with part of its content.
struct MemoryWriter {
    store: MemoryStore,
    key: Name,
}

impl StoredFileWriter for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let after = self.store.usage() + bytes.len() as u64;
        if self.store.limit.get().is_some_and(|limit| after > limit) {
            return Err(storage_error("there is no more room"));
        }
        let mut files = self.store.files.borrow_mut();
        Arc::make_mut(files.entry(self.key.clone()).or_default()).extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.store.writing.borrow_mut().remove(&self.key);
    }
}

fn busy() -> Error {
    storage_error("the file is being written")
}
