//! The GPU engine by WebGPU: WGSL shaders through `wgpu`, in a browser's worker and natively.
//!
//! All numbers are f32. Weights go to the GPU block by block and stay there. Rows that nothing is edited of go through several blocks in one
//! piece of work, others through one; what is tapped on the way, and what the stream is in the end, comes back in one piece.

mod block;
mod buffers;
mod device;
mod engine;
mod made_up;
mod matrix;
#[cfg(feature = "cli")]
mod measure;
mod places;
mod self_test;
mod several;
mod step;
mod upload;
mod weights;
mod wgsl;
mod work;

pub use device::{GpuDevice, GpuInfo};
pub(crate) use engine::Gpu;
#[cfg(feature = "cli")]
pub use measure::{GpuBenchmark, MeasureLimits};
