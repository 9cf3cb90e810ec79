//! One block: its weights, as they are processed, and its names in a checkpoint.

use candle_core::Tensor;

use crate::error::Result;
use crate::gpt2::layer_norm::{self, LayerNorm};
use crate::gpt2::loader::Loader;
use crate::gpt2::{Config, Processing, tensor, vector};

/// A block in two parts: a destination head needs only the first of its own layer.
pub(crate) struct Block {
    pub(crate) input: AttentionInput,
    /// None while nothing has needed it.
    pub(crate) rest: Option<BlockRest>,
}

/// What makes queries, keys and values: `ln_1` and `c_attn`.
pub(crate) struct AttentionInput {
    pub(crate) ln_1: LayerNorm,
    /// W_Q, W_K, W_V side by side, `[d_model, 3 * d_model]`; heads split each of them.
    pub(crate) w_qkv: Tensor,
    /// b_Q, b_K, b_V, `[3 * d_model]`.
    pub(crate) b_qkv: Vec<f32>,
    /// b_V as it was before it moved into b_O, `[d_model]`; None where it did not.
    folded_b_v: Option<Vec<f32>>,
}

/// What writes to the residual stream, and the MLP.
pub(crate) struct BlockRest {
    /// `[d_model, d_model]`: `[n_head * d_head, d_model]`.
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

/// The tensors of `layer` that [`AttentionInput`] is made of.
pub(crate) fn input_names(layer: usize) -> [String; 4] {
    ["ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias"].map(|name| format!("h.{layer}.{name}"))
}

/// The tensors of `layer` that [`BlockRest`] is made of.
pub(crate) fn rest_names(layer: usize) -> [String; 8] {
    [
        "attn.c_proj.weight",
        "attn.c_proj.bias",
        "ln_2.weight",
        "ln_2.bias",
        "mlp.c_fc.weight",
        "mlp.c_fc.bias",
        "mlp.c_proj.weight",
        "mlp.c_proj.bias",
    ]
    .map(|name| format!("h.{layer}.{name}"))
}

/// Bytes that one whole block of a model of `config` takes in memory.
pub(crate) fn size_in_memory(config: &Config) -> u64 {
    let (d, m) = (config.d_model as u64, config.d_mlp as u64);
    4 * (4 * d * d + 2 * d * m + 10 * d + m)
}

impl AttentionInput {
    /// Reads and processes the first part of block `layer`.
    pub(crate) async fn load(loader: &mut Loader<'_>, layer: usize, processing: Processing) -> Result<Self> {
        let (d, eps) = (loader.config().d_model, loader.config().layer_norm_epsilon);
        let affine = loader.layer_norm(&format!("h.{layer}.ln_1")).await?;
        let w_qkv = loader
            .tensor(&format!("h.{layer}.attn.c_attn.weight"), &[d, 3 * d])
            .await?;
        let mut b_qkv = loader
            .elements(&format!("h.{layer}.attn.c_attn.bias"), &[3 * d])
            .await?;
        let (ln_1, w_qkv) = reader(affine, eps, w_qkv, &mut b_qkv, processing)?;
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

impl BlockRest {
    /// Reads and processes the second part of block `layer`, whose first part is `input`.
    pub(crate) async fn load(
        loader: &mut Loader<'_>,
        layer: usize,
        input: &AttentionInput,
        processing: Processing,
    ) -> Result<Self> {
        let Config {
            d_model: d,
            d_mlp,
            layer_norm_epsilon: eps,
            ..
        } = *loader.config();
        let name = |name: &str| format!("h.{layer}.{name}");
        let w_o = loader.tensor(&name("attn.c_proj.weight"), &[d, d]).await?;
        let b_o = loader.elements(&name("attn.c_proj.bias"), &[d]).await?;
        let (w_o, mut b_o) = writer(w_o, b_o, processing)?;
        if let Some(b_v) = &input.folded_b_v {
            fold_value_biases(b_v, &w_o, &mut b_o)?;
        }
        let affine = loader.layer_norm(&name("ln_2")).await?;
        let w_in = loader.tensor(&name("mlp.c_fc.weight"), &[d, d_mlp]).await?;
        let mut b_in = loader.elements(&name("mlp.c_fc.bias"), &[d_mlp]).await?;
        let (ln_2, w_in) = reader(affine, eps, w_in, &mut b_in, processing)?;
        let w_out = loader.tensor(&name("mlp.c_proj.weight"), &[d_mlp, d]).await?;
        let b_out = loader.elements(&name("mlp.c_proj.bias"), &[d]).await?;
        let (w_out, b_out) = writer(w_out, b_out, processing)?;
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

/// Processes a map `[in, out]` that reads the residual stream through a LayerNorm.
fn reader(
    affine: layer_norm::Affine,
    eps: f64,
    weight: Tensor,
    bias: &mut [f32],
    processing: Processing,
) -> Result<(LayerNorm, Tensor)> {
    if !processing.fold_ln {
        let affine = Some(affine);
        return Ok((LayerNorm { eps, affine }, weight));
    }
    let mut elements = tensor::to_vec(&weight)?;
    drop(weight);
    layer_norm::fold(&affine, &mut elements, bias);
    Ok((LayerNorm { eps, affine: None }, tensor::matrix(elements, bias.len())?))
}

/// Processes a map `[in, d_model]` that writes to the residual stream, and its bias.
fn writer(weight: Tensor, mut bias: Vec<f32>, processing: Processing) -> Result<(Tensor, Vec<f32>)> {
    if !processing.center_writing_weights {
        return Ok((weight, bias));
    }
    let mut elements = tensor::to_vec(&weight)?;
    drop(weight);
    elements.chunks_exact_mut(bias.len()).for_each(vector::centre);
    vector::centre(&mut bias);
    Ok((tensor::matrix(elements, bias.len())?, bias))
}

/// `b_O += b_V W_O`: a constant value adds the same to every position, as attention sums to 1.
fn fold_value_biases(b_v: &[f32], w_o: &Tensor, b_o: &mut [f32]) -> Result<()> {
    let mut total: Vec<f64> = b_o.iter().map(|&b| f64::from(b)).collect();
    tensor::read(w_o, |w_o| {
        for (row, &value) in w_o.chunks_exact(b_o.len()).zip(b_v) {
            for (total, &w) in total.iter_mut().zip(row) {
                *total += f64::from(value) * f64::from(w);
            }
        }
    })?;
    for (b, total) in b_o.iter_mut().zip(total) {
        *b = total as f32;
    }
    Ok(())
}
