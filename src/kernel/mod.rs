//! Arithmetic of the cpu engine: packed products, MLPs, LayerNorm, softmax and attention, on vectors and threads.
//!
//! This room is compiled twice: as part of the library, and by `scripts/build-kernels.sh` with this file as the root of a
//! WebAssembly module of its own (`kernel_module`), without `std`, which a page's worker calls through `scripts/page/kernel.js`.
//! So its files name one another by `super`, and only `native` knows anything else.
#![cfg_attr(kernel_module, no_std)]

mod attention;
mod functions;
mod lanes;
mod norm;
mod operations;
mod output;
mod pack;
mod phase;
mod product;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd;
mod team;

#[cfg(kernel_module)]
mod exports;
#[cfg(not(kernel_module))]
mod native;
#[cfg(test)]
mod tests;

pub use functions::Function;
#[cfg(not(kernel_module))]
pub use native::{Kernel, Matrix, Options, Tree};
pub use norm::Norm;
