//! A block's weights as the cpu engine holds them.

use candle_core::Tensor;

use crate::compute::tensor;
use crate::error::Result;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::layer_norm::LayerNorm;

/// A block in two parts: a destination head needs only the first of its own layer.
pub(crate) struct Block {
    pub(crate) input: AttentionInput,
    /// None while nothing has needed it.
    pub(crate) rest: Option<BlockRest>,
}

/// See [`AttentionInputWeights`].
pub(crate) struct AttentionInput {
    pub(crate) ln_1: LayerNorm,
    /// `[d_model, 3 * d_model]`.
    pub(crate) w_qkv: Tensor,
    /// `[3 * d_model]`.
    pub(crate) b_qkv: Vec<f32>,
    /// `[d_model]`, for the other part.
    pub(crate) folded_b_v: Option<Vec<f32>>,
}

/// See [`BlockRestWeights`].
pub(crate) struct BlockRest {
    /// `[n_head * d_head, d_model]`.
    pub(crate) w_o: Tensor,
    /// `[d_model]`.
    pub(crate) b_o: Vec<f32>,
    pub(crate) ln_2: LayerNorm,
    /// `[d_model, d_mlp]`.
    pub(crate) w_in: Tensor,
    /// `[d_mlp]`.
    pub(crate) b_in: Vec<f32>,
    /// `[d_mlp, d_model]`.
    pub(crate) w_out: Tensor,
    /// `[d_model]`.
    pub(crate) b_out: Vec<f32>,
}

impl AttentionInput {
    /// Takes over `weights`, without a copy.
    pub(crate) fn new(weights: AttentionInputWeights) -> Result<Self> {
        Ok(Self {
            ln_1: weights.ln_1,
            w_qkv: tensor::matrix(weights.w_qkv, weights.b_qkv.len())?,
            b_qkv: weights.b_qkv,
            folded_b_v: weights.folded_b_v,
        })
    }
}

impl BlockRest {
    /// Takes over `weights`, without a copy.
    pub(crate) fn new(weights: BlockRestWeights) -> Result<Self> {
        Ok(Self {
            w_o: tensor::matrix(weights.w_o, weights.b_o.len())?,
            b_o: weights.b_o,
            ln_2: weights.ln_2,
            w_in: tensor::matrix(weights.w_in, weights.b_in.len())?,
            b_in: weights.b_in,
            w_out: tensor::matrix(weights.w_out, weights.b_out.len())?,
            b_out: weights.b_out,
        })
    }
}
