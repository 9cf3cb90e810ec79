//! The small weights of a block that every engine keeps in memory, because other code reads them.

use crate::model::layer_norm::LayerNorm;

/// See [`crate::model::block::AttentionInputWeights`].
pub(crate) struct AttentionInput {
    pub(crate) ln_1: LayerNorm,
    /// `[3 * d_model]`.
    pub(crate) b_qkv: Vec<f32>,
    /// `[d_model]`, for the second part of the block.
    pub(crate) folded_b_v: Option<Vec<f32>>,
}

/// See [`crate::model::block::BlockRestWeights`].
pub(crate) struct BlockRest {
    /// `[d_model]`.
    pub(crate) b_o: Vec<f32>,
    pub(crate) ln_2: LayerNorm,
    /// `[d_mlp]`.
    pub(crate) b_in: Vec<f32>,
    /// `[d_model]`.
    pub(crate) b_out: Vec<f32>,
}
