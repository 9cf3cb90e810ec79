//! The forward pass.
//!
//! A [`Model`] takes [`Pass`]es through its blocks. A pass is a batch whose positions form a
//! [`PrefixTree`]; its [`Request`] says what to capture on the way.

mod block;
mod embedding;
mod head_weights;
mod layer_norm;
mod loader;
mod model;
mod pass;
mod prefix;
mod readout;
mod step;
mod walk;
mod watcher;

pub use head_weights::HeadWeights;
pub use model::{BLOCK_BUDGET, Model};
pub use pass::{CHUNK, Captured, LayerZeroAlone, Pass, Request};
pub use prefix::PrefixTree;
pub use readout::{Components, Direction, Readout};
pub use walk::Walk;
pub use watcher::{Unwatched, Watcher};

pub use crate::names::Side;
