//! Bytes to tensors: the safetensors header, byte ranges, and the sources they come from.
//!
//! A [`Source`] hands over ranges of the files of a checkpoint's folder; [`TensorFile`] knows where tensors
//! are in them, and is told which. Weights are read tensor by tensor, straight into the tensor's own buffer: there is no
//! buffer of the size of the file, and what is not asked for is never read.

mod address;
mod decode;
mod expected;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod header;
mod http;
mod http_source;
mod hub;
mod inventory;
mod keeper;
mod manifest;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod native;
mod notices;
mod pieces;
mod source;
mod store;
mod stored;
mod tensor_file;
mod transport;
mod witness;

pub use address::check_for_page;
pub use expected::{Expected, TensorSpec};
#[cfg(not(target_arch = "wasm32"))]
pub use file::FileSource;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use http::range_header;
pub use http_source::HttpSource;
pub use hub::{HUB_MODELS, HubModel, hub_name, hub_url};
pub use inventory::{StoredModel, stored_models};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use native::BlockingTransport;
pub use notices::{NoticeBoard, Notices};
pub use source::{MemorySource, Sink, Source, Traffic, WHOLE_FILE_LIMIT};
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use source::{missing, truncated};
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use store::storage_error;
pub use store::{MemoryStore, Space, Store, StoredFile, StoredFileWriter};
pub use stored::StoredSource;
pub use tensor_file::{TensorFile, read_parsed};
pub use transport::{Answer, Body, Gate, Patience, Transport};

/// The source that `text` names: an HTTP(S) URL, a model on the hub (`hub:gpt2`, `hub:owner/model@revision`) or a folder.
///
/// # Errors
/// [`crate::ErrorKind::Request`] when there is no such name on the hub;
/// [`crate::ErrorKind::Source`] when it is a URL that can't be read from. Whether anything is there shows
/// at the first read.
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub fn source_for(text: &str) -> crate::error::Result<Box<dyn Source>> {
    let text = match text.strip_prefix("hub:") {
        Some(name) => {
            let (name, revision) = name.split_once('@').unwrap_or((name, ""));
            &hub_url(name, revision)?
        }
        None => text,
    };
    if text.contains("://") {
        let patience = Patience::default();
        let transport = Box::new(BlockingTransport::new(patience.silence));
        return Ok(Box::new(HttpSource::new(text, transport)?.with_patience(patience)));
    }
    Ok(Box::new(FileSource::new(text)))
}
