//! The forward pass: computing blocks, capturing activations, editing them.
//!
//! A [`Model`] takes [`Pass`]es through its blocks. A pass is a batch whose positions form a [`PrefixTree`]; its
//! [`Request`] lists the activations to capture, as [`Tap`]s at hook points. [`Pass::edited`] makes a pass in which
//! vectors replace activations, and which computes only what can change.

mod activation_cache;
mod blocks;
mod compute_resources;
mod computing;
mod continuation;
mod edit;
mod embedding;
mod head_weights;
mod loader;
mod memory_limit;
mod model;
mod monitor;
mod outputs;
mod pass;
mod prefix;
mod schedule;
mod shared_prefixes;
#[cfg(test)]
mod shared_prefixes_tests;
mod snapshot;
mod streaming;
mod tap;
mod unembedding;

pub use crate::compute::cpu::{Kernels, Linear, NativeKernels, TreeAttention};
#[cfg(all(feature = "gpu", feature = "cli"))]
pub use crate::compute::gpu::{GpuBenchmark, MeasureLimits};
#[cfg(feature = "gpu")]
pub use crate::compute::gpu::{GpuDevice, GpuInfo};
pub use crate::compute::memory::{linear_memory, note_kernels};
pub(crate) use activation_cache::ActivationCache;
pub use compute_resources::{ComputeResources, native_engine};
pub use continuation::{Sampling, continue_with};
pub use edit::{Edit, Variant};
pub use head_weights::HeadWeights;
pub use memory_limit::not_enough;
pub use model::{BLOCK_BUDGET, EffectiveEmbedding, Model};
pub use monitor::{Monitor, NoMonitor};
pub(crate) use pass::relay;
pub use pass::{CHUNK, Pass, Request};
pub use prefix::PrefixTree;
pub use schedule::Schedule;
pub(crate) use snapshot::Snapshot;
pub use tap::{Captured, Tap, TapSink};
pub use unembedding::Cosines;
