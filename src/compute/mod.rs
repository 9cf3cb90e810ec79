//! Engines that run blocks: weights as an engine holds them, and rows through a block with taps and edits.
//!
//! Nothing above knows where the numbers live, and nothing here knows what they are captured for.

pub(crate) mod attention;
pub(crate) mod block;
pub(crate) mod rows;
pub(crate) mod step;
pub(crate) mod tensor;
