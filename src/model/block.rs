//! The weights of one block, read and processed.

use crate::error::Result;
use crate::math;
use crate::model::layer_norm::{self, Affine, LayerNorm};
use crate::model::tensors::{
    ATTN_C_PROJ_BIAS, ATTN_C_PROJ_WEIGHT, C_ATTN_BIAS, C_ATTN_WEIGHT, C_FC_BIAS, C_FC_WEIGHT, LN_1_BIAS, LN_1_WEIGHT,
    LN_2_BIAS, LN_2_WEIGHT, MLP_C_PROJ_BIAS, MLP_C_PROJ_WEIGHT, Tensors,
};
use crate::model::{Config, Processing};

/// Weights for queries, keys and values: `ln_1` and `c_attn`. Of the destination head's layer, nothing else is needed.
pub(crate) struct AttentionInputWeights {
    pub(crate) ln_1: LayerNorm,
    /// W_Q, W_K, W_V side by side, `[d_model, 3 * d_model]`; each is divided into heads.
    pub(crate) w_qkv: Vec<f32>,
    /// b_Q, b_K, b_V, `[3 * d_model]`.
    pub(crate) b_qkv: Vec<f32>,
    /// b_V before it was folded into b_O, `[d_model]`; None if it was not folded.
    pub(crate) folded_b_v: Option<Vec<f32>>,
}

/// The other weights: W_O, and the MLP.
pub(crate) struct BlockRestWeights {
    /// `[d_model, d_model]`: `[n_head * d_head, d_model]`.
    pub(crate) w_o: Vec<f32>,
    /// `[d_model]`.
    pub(crate) b_o: Vec<f32>,
    pub(crate) ln_2: LayerNorm,
    /// `[d_model, d_mlp]`.
    pub(crate) w_in: Vec<f32>,
    /// `[d_mlp]`.
    pub(crate) b_in: Vec<f32>,
    /// `[d_mlp, d_model]`.
    pub(crate) w_out: Vec<f32>,
    /// `[d_model]`.
    pub(crate) b_out: Vec<f32>,
}

/// Bytes of one whole block of a model of `config` in memory.
pub(crate) fn size_in_memory(config: &Config) -> u64 {
    let (d, m) = (config.d_model as u64, config.d_mlp as u64);
    4 * (4 * d * d + 2 * d * m + 10 * d + m)
}

impl AttentionInputWeights {
    /// Takes the tensors of block `layer` and processes them.
    pub(crate) fn new(tensors: &mut Tensors, config: &Config, layer: usize, processing: Processing) -> Result<Self> {
        let (d, eps) = (config.d_model, config.layer_norm_epsilon);
        let affine = tensors.affine(&LN_1_WEIGHT.in_block(layer), &LN_1_BIAS.in_block(layer))?;
        let mut w_qkv = tensors.take(&C_ATTN_WEIGHT.in_block(layer))?;
        let mut b_qkv = tensors.take(&C_ATTN_BIAS.in_block(layer))?;
        let ln_1 = fold_reader(affine, eps, &mut w_qkv, &mut b_qkv, processing);
        let folded_b_v = processing.fold_value_biases.then(|| {
            let b_v = b_qkv[2 * d..].to_vec();
            b_qkv[2 * d..].fill(0.0);
            b_v
        });
        Ok(Self {
            ln_1,
            w_qkv,
            b_qkv,
            folded_b_v,
        })
    }
}

impl BlockRestWeights {
    /// Takes the tensors of block `layer` and processes them. `folded_b_v` is [`AttentionInputWeights::folded_b_v`].
    pub(crate) fn new(
        tensors: &mut Tensors,
        config: &Config,
        layer: usize,
        folded_b_v: Option<&[f32]>,
        processing: Processing,
    ) -> Result<Self> {
        let mut w_o = tensors.take(&ATTN_C_PROJ_WEIGHT.in_block(layer))?;
        let mut b_o = tensors.take(&ATTN_C_PROJ_BIAS.in_block(layer))?;
        center_writer(&mut w_o, &mut b_o, processing);
        if let Some(b_v) = folded_b_v {
            fold_value_biases(b_v, &w_o, &mut b_o);
        }
        let affine = tensors.affine(&LN_2_WEIGHT.in_block(layer), &LN_2_BIAS.in_block(layer))?;
        let mut w_in = tensors.take(&C_FC_WEIGHT.in_block(layer))?;
        let mut b_in = tensors.take(&C_FC_BIAS.in_block(layer))?;
        let ln_2 = fold_reader(affine, config.layer_norm_epsilon, &mut w_in, &mut b_in, processing);
        let mut w_out = tensors.take(&MLP_C_PROJ_WEIGHT.in_block(layer))?;
        let mut b_out = tensors.take(&MLP_C_PROJ_BIAS.in_block(layer))?;
        center_writer(&mut w_out, &mut b_out, processing);
        Ok(Self {
            w_o,
            b_o,
            ln_2,
            w_in,
            b_in,
            w_out,
            b_out,
        })
    }
}

/// Processes a map `[in, out]` that reads the residual stream through a LayerNorm, in place. Returns the LayerNorm that
/// remains.
fn fold_reader(affine: Affine, eps: f64, weight: &mut [f32], bias: &mut [f32], processing: Processing) -> LayerNorm {
    let affine = if processing.fold_ln {
        layer_norm::fold(&affine, weight, bias);
        None
    } else {
        Some(affine)
    };
    LayerNorm { eps, affine }
}

/// Processes a map `[in, d_model]` that writes to the residual stream, and its bias, in place.
fn center_writer(weight: &mut [f32], bias: &mut [f32], processing: Processing) {
    if processing.center_writing_weights {
        weight.chunks_exact_mut(bias.len()).for_each(math::center);
        math::center(bias);
    }
}

/// `b_O += b_V W_O`: a constant value contributes the same at every position, because attention sums to 1.
fn fold_value_biases(b_v: &[f32], w_o: &[f32], b_o: &mut [f32]) {
    let mut total: Vec<f64> = b_o.iter().map(|&b| f64::from(b)).collect();
    for (row, &value) in w_o.chunks_exact(b_o.len()).zip(b_v) {
        for (total, &w) in total.iter_mut().zip(row) {
            *total += f64::from(value) * f64::from(w);
        }
    }
    for (b, total) in b_o.iter_mut().zip(total) {
        *b = total as f32;
    }
}
