//! The engine on a graphics processor, by WebGPU: WGSL through `wgpu`, in a browser's worker and natively.
//!
//! All numbers are f32. Weights go to the card block by block and stay there; what is tapped, and what the stream is after a block,
//! comes back in one piece per step.

mod block;
mod card;
mod engine;
mod held;
mod matrix;
mod self_test;
mod step;
mod upload;
mod wgsl;
mod work;

pub use card::{Card, CardInfo};
pub(crate) use engine::Gpu;
