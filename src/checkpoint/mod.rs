//! Bytes to tensors: the safetensors header, byte ranges, and the sources they come from.
//!
//! A [`Source`] hands over ranges of the files of a checkpoint's folder; [`Checkpoint`] knows what is
//! in them. Weights are read tensor by tensor, straight into the tensor's own buffer: there is no
//! buffer of the size of the file, and what is not asked for is never read.

mod card;
mod decode;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod header;
mod layout;
mod open;
mod source;

pub use card::ModelCard;
#[cfg(not(target_arch = "wasm32"))]
pub use file::FileSource;
pub use open::Checkpoint;
pub use source::{MemorySource, Sink, Source, WHOLE_FILE_LIMIT};
