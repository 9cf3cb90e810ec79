//! The forward pass: what goes through the blocks, what is captured, what is edited.
//!
//! A [`Model`] takes [`Pass`]es through its blocks. A pass is a batch whose positions form a [`PrefixTree`]; its
//! [`Request`] says what to capture on the way, as [`Tap`]s at hook points. [`Pass::edited`] makes a pass in which vectors
//! stand in place of activations, and which computes only what can change.

mod blocks;
mod common;
#[cfg(test)]
mod common_tests;
mod continuation;
mod edit;
mod embedding;
mod head_weights;
mod kept;
mod loader;
mod model;
mod outputs;
mod pass;
mod passing;
mod prefix;
mod provided;
mod room;
mod schedule;
mod tap;
mod unembedding;
mod watcher;

pub use crate::compute::cpu::{Kernels, Linear, NativeKernels, TreeAttention};
#[cfg(feature = "gpu")]
pub use crate::compute::gpu::{Card, CardInfo};
pub use crate::compute::memory::{linear_memory, note_kernels};
pub use continuation::{Sampling, continue_with};
pub use edit::{Edit, Variant};
pub use head_weights::HeadWeights;
pub(crate) use kept::Kept;
pub use model::{BLOCK_BUDGET, EffectiveEmbedding, Model};
pub(crate) use pass::relay;
pub use pass::{CHUNK, Pass, Request};
pub use prefix::PrefixTree;
pub use provided::{Provided, native_engine};
pub use room::not_enough;
pub use schedule::Schedule;
pub use tap::{Captured, Tap, TapSink};
pub use unembedding::Cosines;
pub use watcher::{Unwatched, Watcher};
