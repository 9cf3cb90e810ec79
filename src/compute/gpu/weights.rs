//! The weights of a block in GPU memory.

use std::rc::Rc;

use super::buffers::WeightBuffer;
use super::device::GpuDevice;
use super::matrix::Matrix;
use super::upload::{bytes_of, stride_of};
use crate::compute::block::{AttentionInput, BlockRest};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;

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
    /// Bytes of a whole block of a model of `config`.
    pub(super) fn bytes(config: &Config) -> u64 {
        let [d, qkv, d_mlp] = [config.d_model, 3 * config.d_model, config.d_mlp].map(stride_of);
        let matrices = d * qkv + d * d + 2 * d * d_mlp;
        // Two LayerNorms, with weights and biases each.
        let vectors = 4 * d + qkv + 2 * d + d_mlp;
        bytes_of(matrices + vectors)
    }

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
