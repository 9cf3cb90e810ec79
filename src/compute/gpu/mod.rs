//! The GPU engine by WebGPU: WGSL shaders through `wgpu`, in a browser's worker and natively.
//!
//! All numbers are f32. Weights are uploaded block by block and stay in GPU memory. Captured activations, and the
//! residual stream after a block, are read back in one buffer per step.

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
