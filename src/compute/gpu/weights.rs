//! The weights of a block in GPU memory.

use std::rc::Rc;

use super::device::{GpuDevice, WeightBuffer};
use super::matrix::Matrix;
use crate::compute::block::{AttentionInput, BlockRest};
use crate::error::{Error, ErrorKind, Result};

/// A block in two parts, as on the CPU.
pub(super) struct GpuBlock {
    pub(super) device: Rc<GpuDevice>,
    /// `[d_model, 3 * d_model]`.
    pub(super) w_qkv: Matrix,
    pub(super) b_qkv: WeightBuffer,
    pub(super) ln_1: WeightBuffer,
    pub(super) small: AttentionInput,
    /// None until it is needed.
    pub(super) rest: Option<Rest>,
}

/// The second part: attention output and MLP.
pub(super) struct Rest {
    /// `[n_head * d_head, d_model]`.
    pub(super) w_o: Matrix,
    pub(super) b_o: WeightBuffer,
    pub(super) ln_2: WeightBuffer,
    /// `[d_model, d_mlp]`.
    pub(super) w_in: Matrix,
    pub(super) b_in: WeightBuffer,
    /// `[d_mlp, d_model]`.
    pub(super) w_out: Matrix,
    pub(super) b_out: WeightBuffer,
    pub(super) small: BlockRest,
}

impl GpuBlock {
    /// The second part.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where it is not there.
    pub(super) fn whole(&self) -> Result<&Rest> {
        self.rest
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a block was used before all of it was read"))
    }
}
