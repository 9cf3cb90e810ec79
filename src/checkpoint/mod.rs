//! Bytes to tensors: the safetensors header, byte ranges, and the sources they come from.
//!
//! A [`Source`] hands over ranges of the files of a checkpoint's folder; [`Checkpoint`] knows what is
//! in them. Weights are read tensor by tensor, straight into the tensor's own buffer: there is no
//! buffer of the size of the file, and what is not asked for is never read.

mod card;
mod decode;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
mod fetch;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod header;
#[cfg(any(test, feature = "cli", all(feature = "page", target_arch = "wasm32")))]
mod http;
mod layout;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod native;
mod open;
mod source;

pub use card::ModelCard;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub use fetch::HttpSource;
#[cfg(not(target_arch = "wasm32"))]
pub use file::FileSource;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use native::HttpSource;
pub use open::Checkpoint;
pub use source::{MemorySource, Sink, Source, WHOLE_FILE_LIMIT};

use crate::error::Result;

/// The source that `text` names: natively an HTTP(S) URL or a folder, in the browser a URL.
///
/// # Errors
/// [`crate::ErrorKind::Source`] when it is a URL that can't be read from. Whether anything is there shows
/// at the first read.
pub fn source_for(text: &str) -> Result<Box<dyn Source>> {
    #[cfg(any(feature = "cli", all(feature = "page", target_arch = "wasm32")))]
    if cfg!(target_arch = "wasm32") || text.contains("://") {
        return Ok(Box::new(HttpSource::new(text)?));
    }
    #[cfg(not(target_arch = "wasm32"))]
    return Ok(Box::new(FileSource::new(text)));
    #[cfg(target_arch = "wasm32")]
    Err(crate::Error::new(
        crate::ErrorKind::Source,
        format!("{text:?} can't be read here"),
    ))
}
