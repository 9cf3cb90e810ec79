//! The model: configuration, tokenizer, weight processing, and the forward pass with its captures.
//!
//! A [`Model`] takes [`Pass`]es through its blocks. A pass is a batch whose positions form a
//! [`PrefixTree`]; its [`Request`] says what to capture on the way.

mod block;
mod config;
mod embedding;
mod forward;
mod head;
mod head_weights;
mod layer_norm;
mod loader;
mod model;
mod pass;
mod prefix;
mod processing;
mod readout;
mod tensor;
mod tokenizer;
mod tokenizer_file;
pub(crate) mod vector;
mod walk;
mod watcher;

pub use config::Config;
pub use head::Head;
pub use head_weights::{HeadWeights, Side};
pub use model::{BLOCK_BUDGET, Model};
pub use pass::{CHUNK, Captured, LayerZeroAlone, Pass, Request};
pub use prefix::PrefixTree;
pub use processing::Processing;
pub use readout::{Components, Direction, Readout};
pub use tokenizer::Tokenizer;
pub use walk::Walk;
pub use watcher::{Unwatched, Watcher};
