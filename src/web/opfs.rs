//! The browser's storage, in a worker: the origin private file system.
//!
//! Files are written through synchronous access handles, which take bytes as they come, and read with `FileReaderSync`,
//! which lets several tabs read one file.

use std::any::Any;
use std::cell::Cell;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, LocalBoxFuture, select};
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, File, FileReaderSync, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemRemoveOptions,
    FileSystemSyncAccessHandle, StorageEstimate, StorageManager,
};

use super::fetch::FetchTransport;
use crate::checkpoint::{Space, Store, StoredFile, StoredFileWriter, Transport, storage_error};
use crate::error::{Error, Result};

/// The folder that holds all stored files.
const ROOT: &str = "keyside";

/// The longest time to wait for an answer of the browser. All operations wait for the very first answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    /// Whether the browser has left a request unanswered: then no other is made, since each would take as long.
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`, for which web-sys has no stable binding yet.
    type LockManager;

    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, options: &Object, callback: &Function) -> Promise;
}

/// A [`Store`] in the origin private file system of the page's origin.
pub struct OpfsStore {
    root: FileSystemDirectoryHandle,
    manager: StorageManager,
}

impl OpfsStore {
    /// Opens the storage of the worker that this runs in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Storage`] where the browser has none, or none for this page (private windows, some frames).
    pub async fn open() -> Result<Self> {
        let Some(worker) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>().ok() else {
            return Err(storage_error("the browser's storage can be used in a worker only"));
        };
        let navigator = worker.navigator();
        let there = |object: &JsValue, name: &str| {
            Reflect::get(object, &name.into())
                .ok()
                .filter(|value| !value.is_undefined())
        };
        let manager = there(&navigator, "storage").filter(|manager| there(manager, "getDirectory").is_some());
        let Some(manager) = manager else {
            let secure = Reflect::get(&worker, &"isSecureContext".into()).is_ok_and(|secure| secure.is_truthy());
            return Err(storage_error(if secure {
                "this browser has no storage for files"
            } else {
                "browsers keep nothing for a page without encryption: open it over https"
            }));
        };
        let manager: StorageManager = manager.unchecked_into();
        let top = answered(manager.get_directory(), FIRST_TIMEOUT).await?;
        let top: FileSystemDirectoryHandle = top.map_err(failed)?.unchecked_into();
        let root = directory(&top, ROOT).await?;
        Ok(Self { root, manager })
    }

    /// The handle of a folder; None where it does not exist.
    async fn folder(&self, name: &str) -> Result<Option<FileSystemDirectoryHandle>> {
        let handle = answered(self.root.get_directory_handle(name), TIMEOUT).await?;
        unless_missing(handle.map(JsCast::unchecked_into))
    }

    async fn open_file(&self, folder: &str, file: &str) -> Result<Option<Box<dyn StoredFile>>> {
        let Some(folder) = self.folder(folder).await? else {
            return Ok(None);
        };
        let handle = answered(folder.get_file_handle(file), TIMEOUT).await?;
        let Some(handle) = unless_missing(handle.map(JsCast::unchecked_into::<FileSystemFileHandle>))? else {
            return Ok(None);
        };
        let file: File = await_promise(handle.get_file()).await?.unchecked_into();
        let reader = FileReaderSync::new().map_err(failed)?;
        Ok(Some(Box::new(Readable { file, reader })))
    }

    async fn create_file(&self, folder: &str, file: &str) -> Result<Box<dyn StoredFileWriter>> {
        let folder = directory(&self.root, folder).await?;
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = await_promise(folder.get_file_handle_with_options(file, &options)).await?;
        let handle: FileSystemFileHandle = handle.unchecked_into();
        let access: FileSystemSyncAccessHandle = await_promise(handle.create_sync_access_handle())
            .await?
            .unchecked_into();
        let writer = Writable { access, length: 0.0 };
        writer.access.truncate_with_u32(0).map_err(failed)?;
        Ok(Box::new(writer))
    }

    async fn remove_entry(&self, folder: &str, file: Option<&str>) -> Result<()> {
        let removed = match file {
            None => {
                let options = FileSystemRemoveOptions::new();
                options.set_recursive(true);
                answered(self.root.remove_entry_with_options(folder, &options), TIMEOUT).await?
            }
            Some(file) => match self.folder(folder).await? {
                Some(folder) => answered(folder.remove_entry(file), TIMEOUT).await?,
                None => return Ok(()),
            },
        };
        unless_missing(removed).map(|_| ())
    }

    async fn query_space(&self) -> Option<Space> {
        let estimate: StorageEstimate = await_promise(self.manager.estimate().ok()?)
            .await
            .ok()?
            .unchecked_into();
        let persisted = match self.manager.persisted() {
            Ok(persisted) => await_promise(persisted).await.ok(),
            Err(_) => None,
        };
        Some(Space {
            usage: estimate.get_usage()? as u64,
            quota: estimate.get_quota()? as u64,
            persistent: persisted.is_some_and(|persisted| persisted.is_truthy()),
        })
    }
}

impl Store for OpfsStore {
    fn folders(&self) -> LocalBoxFuture<'_, Result<Vec<String>>> {
        Box::pin(names(&self.root))
    }

    fn files<'a>(&'a self, folder: &'a str) -> LocalBoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            match self.folder(folder).await? {
                Some(folder) => names(&folder).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn open<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn StoredFile>>>> {
        Box::pin(self.open_file(folder, file))
    }

    fn create<'a>(&'a self, folder: &'a str, file: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn StoredFileWriter>>> {
        Box::pin(self.create_file(folder, file))
    }

    fn remove<'a>(&'a self, folder: &'a str, file: Option<&'a str>) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(self.remove_entry(folder, file))
    }

    fn lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Box<dyn Any>>> {
        Box::pin(async move {
            let held = lock(name, false).await?;
            held.ok_or_else(|| storage_error("a lock between tabs was not granted"))
        })
    }

    fn try_lock<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Box<dyn Any>>>> {
        Box::pin(lock(name, true))
    }

    fn space(&self) -> LocalBoxFuture<'_, Option<Space>> {
        Box::pin(self.query_space())
    }

    fn persist(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            // The browser may ask the user, or refuse; the run continues in any case.
            if let Ok(asked) = self.manager.persist() {
                let _ = await_promise(asked).await;
            }
        })
    }
}

struct Readable {
    file: File,
    reader: FileReaderSync,
}

impl StoredFile for Readable {
    fn length(&self) -> u64 {
        self.file.size() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let (start, end) = (offset as f64, (offset + buffer.len() as u64) as f64);
        let part = self.file.slice_with_f64_and_f64(start, end).map_err(failed)?;
        let answer = self.reader.read_as_array_buffer(&part).map_err(failed)?;
        let bytes = Uint8Array::new(answer.as_ref());
        if bytes.length() as usize != buffer.len() {
            return Err(storage_error("a stored file ends too early"));
        }
        bytes.copy_to(buffer);
        Ok(())
    }
}

/// An open access handle, closed when it is dropped, so that the file can be opened again.
struct Writable {
    access: FileSystemSyncAccessHandle,
    length: f64,
}

impl StoredFileWriter for Writable {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(self.length);
        let written = self
            .access
            .write_with_u8_array_and_options(bytes, &options)
            .map_err(failed)?;
        if written != bytes.len() as f64 {
            return Err(storage_error("the browser's storage is full"));
        }
        self.length += written;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.access.flush().map_err(failed)
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        self.access.close();
    }
}

/// Releases a lock when it is dropped.
struct Held(Function);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.call0(&JsValue::UNDEFINED));
    }
}

/// Acquires a lock that is shared by all tabs. Where it is held already, waits, or returns None with `at_once`.
async fn lock(name: &str, at_once: bool) -> Result<Option<Box<dyn Any>>> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).map_err(failed)?;
    let locks = Reflect::get(&navigator, &"locks".into()).map_err(failed)?;
    if locks.is_undefined() {
        return Err(storage_error("this browser has no locks between tabs"));
    }
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &at_once.into()).map_err(failed)?;
    let (sender, granted) = oneshot::channel();
    let callback = Closure::once_into_js(move |lock: JsValue| {
        let mut held = None;
        // The browser holds the lock until this promise is resolved.
        let promise = Promise::new(&mut |resolve, _| held = Some(Held(resolve)));
        // If the receiver is gone, the message is dropped, which releases the lock.
        let _ = sender.send(held.filter(|_| !lock.is_null()));
        JsValue::from(promise)
    });
    let request =
        locks
            .unchecked_into::<LockManager>()
            .request(&format!("{ROOT}:{name}"), &options, callback.unchecked_ref());
    // A rejected request never calls back.
    match select(granted, JsFuture::from(request)).await {
        Either::Left((Ok(held), _)) => Ok(held.map(|held| Box::new(held) as Box<dyn Any>)),
        Either::Left((Err(_), _)) | Either::Right((Ok(_), _)) => {
            Err(storage_error("a lock between tabs was not granted"))
        }
        Either::Right((Err(cause), _)) => Err(failed(cause)),
    }
}

/// The names of the entries of a folder.
async fn names(folder: &FileSystemDirectoryHandle) -> Result<Vec<String>> {
    let keys = folder.keys();
    let mut names = Vec::new();
    loop {
        let next = await_promise(keys.next().map_err(failed)?).await?;
        if Reflect::get(&next, &"done".into()).map_err(failed)?.is_truthy() {
            return Ok(names);
        }
        names.extend(Reflect::get(&next, &"value".into()).map_err(failed)?.as_string());
    }
}

/// The folder `name` in `parent`, created where it does not exist.
async fn directory(parent: &FileSystemDirectoryHandle, name: &str) -> Result<FileSystemDirectoryHandle> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    Ok(await_promise(parent.get_directory_handle_with_options(name, &options))
        .await?
        .unchecked_into())
}

async fn await_promise(promise: Promise) -> Result<JsValue> {
    answered(promise, TIMEOUT).await?.map_err(failed)
}

/// The value of `promise`, or an error after `timeout`.
async fn answered(promise: Promise, timeout: Duration) -> Result<std::result::Result<JsValue, JsValue>> {
    // Always awaited, since an unhandled rejection is reported as an error of the page.
    let asked = JsFuture::from(promise);
    if !SILENT.get() {
        if let Either::Left((outcome, _)) = select(asked, FetchTransport.sleep(timeout)).await {
            return Ok(outcome);
        }
        SILENT.set(true);
    }
    Err(storage_error("the browser\u{2019}s storage does not answer"))
}

/// The error for a JavaScript exception.
fn failed(cause: JsValue) -> Error {
    let text = match cause.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => match name_of(&cause) {
            Some(name) if name == "QuotaExceededError" => "it is full".to_owned(),
            Some(name) => name,
            None => format!("{cause:?}"),
        },
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    storage_error(format!(
        "the browser's storage can't be used ({})",
        text.trim_end_matches('.')
    ))
}

/// The name of a DOMException.
fn name_of(cause: &JsValue) -> Option<String> {
    Reflect::get(cause, &"name".into()).ok()?.as_string()
}

/// Turns the error "not found" into None.
fn unless_missing<T>(outcome: std::result::Result<T, JsValue>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(cause) if name_of(&cause).as_deref() == Some("NotFoundError") => Ok(None),
        Err(cause) => Err(failed(cause)),
    }
}
