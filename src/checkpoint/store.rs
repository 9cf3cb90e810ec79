//! Where pieces of checkpoints are kept between visits, and the store that keeps them in memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use futures::lock::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How much is stored, and how much may be. Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Space {
    /// Taken by everything that the page's origin stores.
    pub usage: u64,
    /// The most that it may take.
    pub quota: u64,
    /// Whether the browser has promised not to clear it by itself.
    pub persistent: bool,
}

/// Folders of files that outlive the page: a browser's storage, or memory in tests.
///
/// A file is written once, from its beginning to its end, and is whole from [`StoredFileWriter::finish`] on.
/// Names are made of `a-z`, `0-9`, `.`, `-` and `_`.
pub trait Store {
    /// The names of all folders.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the store can't be used, here and below.
    fn folders(&self) -> LocalBoxFuture<'_, Result<Vec<String>>>;

    /// The names of the files in `folder`, none where it does not exist.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn files<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<Vec<String>>>;

    /// Opens a file for reading; None where there is none.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is being written, in some stores.
    fn open<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn StoredFile>>>>;

    /// Begins to write a file, in place of the one that may be there.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is open elsewhere.
    fn create<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn StoredFileWriter>>>;

    /// Removes a file, or a folder with all its files where `file` is None. What is not there is removed already.
    ///
    /// # Errors
    /// As [`Store::folders`]; also while it is being written.
    fn remove<'a>(&'a self, folder: &'a str, file: Option<&'a str>) -> LocalBoxFuture<'a, Result<()>>;

    /// Waits until nobody else (no other tab either) holds the lock `name`, and holds it until the answer is dropped.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn Any>>>;

    /// Takes the lock `name` where nobody holds it, without waiting; None where somebody does.
    ///
    /// # Errors
    /// As [`Store::folders`].
    fn try_lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn Any>>>>;

    /// How much room there is; None where that can't be known.
    fn space(&self) -> LocalBoxFuture<'_, Option<Space>>;

    /// Asks that nothing be cleared without the user.
    fn persist(&self) -> LocalBoxFuture<'_, ()>;
}

/// A stored file, open for reading.
pub trait StoredFile {
    /// Its length in bytes.
    fn length(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the file ends before, or can't be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;
}

/// A file that is being written. Dropped before [`StoredFileWriter::finish`], it is there, incomplete: whoever reads it must
/// be able to tell.
pub trait StoredFileWriter {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where there is no more room.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Ends the file.
    ///
    /// # Errors
    /// As [`StoredFileWriter::write`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The error of a store that can't do what it should.
pub(crate) fn storage_error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Storage, cause)
}

/// Folder and file.
type Name = (String, String);
type Files = BTreeMap<Name, Arc<Vec<u8>>>;

/// A store in memory. Clones share what is stored, as the tabs of a browser do.
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

    /// Sets the most bytes that may be stored; what is stored already stays.
    pub fn set_quota(&self, bytes: u64) {
        self.quota.set(Some(bytes));
        self.limit.set(Some(bytes));
    }

    /// Sets the most bytes that may be stored (None: any number) without a word of it in [`Store::space`], as where a disk
    /// is full.
    pub fn set_limit(&self, bytes: Option<u64>) {
        self.limit.set(bytes);
    }

    /// The bytes of a file, if it is there.
    pub fn get(&self, folder: &str, file: &str) -> Option<Arc<Vec<u8>>> {
        self.files.borrow().get(&(folder.to_owned(), file.to_owned())).cloned()
    }

    /// Puts a file there, whatever the quota.
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
            .filter(|(of, _)| of == folder)
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
        let created = match self.writing.borrow_mut().insert(key.clone()) {
            true => {
                self.put(folder, file, Vec::new());
                let store = self.clone();
                Ok(Box::new(MemoryWriter { store, key }) as Box<dyn StoredFileWriter>)
            }
            false => Err(busy()),
        };
        Box::pin(async { created })
    }

    fn remove<'a>(&'a self, folder: &'a str, file: Option<&'a str>) -> LocalBoxFuture<'a, Result<()>> {
        let goes = |(of, name): &Name| of == folder && file.is_none_or(|file| file == name);
        let removed = match self.writing.borrow().iter().any(goes) {
            true => Err(busy()),
            false => {
                self.files.borrow_mut().retain(|key, _| !goes(key));
                Ok(())
            }
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

/// Writes at once: a file that is not finished is there, half-written.
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
