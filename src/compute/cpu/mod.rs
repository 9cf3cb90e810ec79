//! The CPU engines: one implementation of the forward pass of a block, with interchangeable matrix products.

mod attention;
mod block;
mod forward;
mod gemm;
mod kernels;
mod native;
mod products;
mod weights;

pub(crate) use attention::Attention;
pub(crate) use block::Cpu;
pub(crate) use gemm::Gemm;
pub(crate) use kernels::Packed;
pub use kernels::{Kernels, Linear, TreeAttention};
pub use native::NativeKernels;
