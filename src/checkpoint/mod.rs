//! From bytes to tensors: sources of files, byte ranges, and the safetensors header.
//!
//! A [`Source`] reads ranges of the files of a checkpoint's folder. A [`TensorFile`] knows where the tensors are in
//! these files; which tensors there must be is passed in. Weights are read tensor by tensor, straight into the tensor's
//! own buffer: no buffer has the size of the file, and tensors that are not requested are never read.

mod address;
mod content;
mod decode;
mod expected;
// The unit tests are compiled for wasm32, too, for those that run in a browser.
#[cfg(any(test, not(target_arch = "wasm32")))]
mod file;
mod formats;
mod header;
mod http;
mod http_source;
mod hub;
mod inventory;
mod locate;
mod manifest;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod native;
mod notices;
mod opening;
mod piece_writer;
mod pieces;
mod reading;
mod shards;
mod source;
mod store;
mod stored;
mod tensor_file;
mod transport;
mod version_probe;

pub use address::check_for_page;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use address::is_this_machine;
pub use expected::{Expected, TensorSpec};
#[cfg(any(test, not(target_arch = "wasm32")))]
pub use file::FileSource;
pub use formats::{explain_missing, other_weights};
pub use header::FILE as WEIGHTS;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use http::range_header;
pub use http_source::HttpSource;
pub use hub::{HUB_MODELS, HubModel, hub_name, hub_url, is_on_hub};
pub use inventory::{StoredModel, stored_models};
pub use locate::{model_name, model_url};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use native::BlockingTransport;
pub use notices::{NoticeBoard, Notices, not_kept};
pub use reading::{is_kept_instead, read_parsed};
pub use shards::INDEX;
pub use source::{MemorySource, Sink, Source, Traffic, WHOLE_FILE_LIMIT};
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use source::{missing, truncated};
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub(crate) use store::storage_error;
pub use store::{MemoryStore, Space, Store, StoredFile, StoredFileWriter};
pub use stored::StoredSource;
pub use tensor_file::TensorFile;
pub use transport::{Answer, Body, Gate, RetryPolicy, Transport};

/// The longest wait that a server may ask for on the command line: windows of rate limits are minutes long.
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(10 * 60);

/// The source that `text` names: an existing local folder, else the URL that [`model_url`] finds, else a local folder.
/// Retries and the like are reported on `notices`.
///
/// # Errors
/// Those of [`model_url`]; [`crate::ErrorKind::Source`] when it is a URL that can't be read from, or a path within a folder that is there. Whether anything is there
/// shows at the first read.
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub fn source_for(text: &str, notices: NoticeBoard) -> crate::error::Result<Box<dyn Source>> {
    let is_folder = |text: &str| std::path::Path::new(text).is_dir();
    let meant = if std::path::Path::new(text).exists() {
        locate::ModelPlace::Folder
    } else {
        locate::model_place(text, is_folder)?
    };
    let (url, name) = match meant {
        locate::ModelPlace::Address(url) => (url, None),
        locate::ModelPlace::Name(url) => (url, Some(text.trim())),
        locate::ModelPlace::Folder if text.contains("://") => (text.to_owned(), None),
        locate::ModelPlace::Folder => return Ok(Box::new(FileSource::new(text))),
    };
    let retry_policy = RetryPolicy {
        longest: LONGEST_WAIT,
        ..RetryPolicy::default()
    };
    let transport = Box::new(BlockingTransport::new(retry_policy.stall_timeout));
    let source = HttpSource::new(&url, transport)?
        .with_retry_policy(retry_policy)
        .by_name(name);
    Ok(Box::new(source.with_notices(notices)))
}
