//! Compute engines for blocks: weights as an engine holds them, and rows through a block with taps and edits.
//!
//! Modules above do not know where the numbers are stored; this module does not know what captured activations are for.

pub(crate) mod block;
#[cfg(test)]
pub(crate) mod contract;
#[cfg(test)]
#[cfg(feature = "gpu")]
mod contract_gpu;
#[cfg(test)]
#[cfg(feature = "gpu")]
mod contract_several;
pub(crate) mod cpu;
pub(crate) mod engine;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod memory;
#[cfg(test)]
mod reference;
pub(crate) mod rows;
mod step_hooks;
pub(crate) mod tensor;
