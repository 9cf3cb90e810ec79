//! Arithmetic of the CPU engine: packed matrix products, MLPs, LayerNorm, softmax and attention, with SIMD and threads.
//!
//! This module is compiled twice: as part of the library, and by `scripts/build-kernels.sh`, with this file as the root
//! of a separate WebAssembly module (`kernel_module`) without `std`, which the page's worker calls through
//! `scripts/page/kernel.js`. Therefore its files refer to each other by `super`, and only `native` uses the rest of the
//! library.
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
