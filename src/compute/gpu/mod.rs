//! The engine on a graphics processor, by WebGPU: WGSL through `wgpu`, in a browser's worker and natively.
//!
//! All numbers are f32. Weights go to the card block by block and stay there; what is tapped, and what the stream is after a block,
//! comes back in one piece per step.

mod block;
mod device;
mod engine;
mod matrix;
mod self_test;
mod step;
mod upload;
mod weights;
mod wgsl;
mod work;

pub use device::{GpuDevice, GpuInfo};
pub(crate) use engine::Gpu;
