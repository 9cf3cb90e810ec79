//! Engines that run blocks.

pub(crate) mod tensor;
