//! One block: its weights, as they are processed, and its names in a checkpoint.

use candle_core::Tensor;

use crate::compute::tensor;
use crate::error::Result;
use crate::forward::layer_norm::{self, LayerNorm};
use crate::forward::loader::{Loader, Tensors};
use crate::math;
use crate::model::{Config, Processing};

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

/// The tensors of `layer` that [`AttentionInput`] is made of, and their shapes.
pub(crate) fn input_tensors(config: &Config, layer: usize) -> Vec<(String, Vec<usize>)> {
    let d = config.d_model;
    let tensors = [
        ("ln_1.weight", vec![d]),
        ("ln_1.bias", vec![d]),
        ("attn.c_attn.weight", vec![d, 3 * d]),
        ("attn.c_attn.bias", vec![3 * d]),
    ];
    tensors.map(|(name, shape)| (format!("h.{layer}.{name}"), shape)).into()
}

/// The tensors of `layer` that [`BlockRest`] is made of, and their shapes.
pub(crate) fn rest_tensors(config: &Config, layer: usize) -> Vec<(String, Vec<usize>)> {
    let (d, m) = (config.d_model, config.d_mlp);
    let tensors = [
        ("attn.c_proj.weight", vec![d, d]),
        ("attn.c_proj.bias", vec![d]),
        ("ln_2.weight", vec![d]),
        ("ln_2.bias", vec![d]),
        ("mlp.c_fc.weight", vec![d, m]),
        ("mlp.c_fc.bias", vec![m]),
        ("mlp.c_proj.weight", vec![m, d]),
        ("mlp.c_proj.bias", vec![d]),
    ];
    tensors.map(|(name, shape)| (format!("h.{layer}.{name}"), shape)).into()
}

/// Bytes that one whole block of a model of `config` takes in memory.
pub(crate) fn size_in_memory(config: &Config) -> u64 {
    let (d, m) = (config.d_model as u64, config.d_mlp as u64);
    4 * (4 * d * d + 2 * d * m + 10 * d + m)
}

impl Block {
    /// Reads and processes block `layer`, its second part only where it is wanted (`whole`). Where the first part is
    /// there already, it is not read again.
    pub(crate) async fn load(
        loader: Loader<'_>,
        layer: usize,
        input: Option<&AttentionInput>,
        whole: bool,
        processing: Processing,
    ) -> Result<Parts> {
        let config = loader.config();
        let mut wanted = Vec::new();
        if input.is_none() {
            wanted.extend(input_tensors(config, layer));
        }
        if whole {
            wanted.extend(rest_tensors(config, layer));
        }
        let mut tensors = loader.tensors(&wanted).await?;
        let new = match input {
            Some(_) => None,
            None => Some(AttentionInput::new(&mut tensors, config, layer, processing)?),
        };
        let rest = match input.or(new.as_ref()) {
            Some(input) if whole => Some(BlockRest::new(&mut tensors, config, layer, input, processing)?),
            _ => None,
        };
        Ok(Parts { input: new, rest })
    }
}

/// What [`Block::load`] has read.
pub(crate) struct Parts {
    input: Option<AttentionInput>,
    rest: Option<BlockRest>,
}

impl Parts {
    /// Puts the parts where they belong.
    pub(crate) fn install(self, block: &mut Option<Block>) {
        if let Some(input) = self.input {
            *block = Some(Block { input, rest: None });
        }
        if let Some(block) = block
            && self.rest.is_some()
        {
            block.rest = self.rest;
        }
    }
}

impl AttentionInput {
    fn new(tensors: &mut Tensors, config: &Config, layer: usize, processing: Processing) -> Result<Self> {
        let (d, eps) = (config.d_model, config.layer_norm_epsilon);
        let affine = tensors.layer_norm(&format!("h.{layer}.ln_1"))?;
        let w_qkv = tensors.take(&format!("h.{layer}.attn.c_attn.weight"))?;
        let mut b_qkv = tensors.take(&format!("h.{layer}.attn.c_attn.bias"))?;
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
    fn new(
        tensors: &mut Tensors,
        config: &Config,
        layer: usize,
        input: &AttentionInput,
        processing: Processing,
    ) -> Result<Self> {
        let name = |name: &str| format!("h.{layer}.{name}");
        let w_o = tensors.take(&name("attn.c_proj.weight"))?;
        let b_o = tensors.take(&name("attn.c_proj.bias"))?;
        let (w_o, mut b_o) = writer(w_o, b_o, processing)?;
        if let Some(b_v) = &input.folded_b_v {
            fold_value_biases(b_v, &w_o, &mut b_o)?;
        }
        let affine = tensors.layer_norm(&name("ln_2"))?;
        let w_in = tensors.take(&name("mlp.c_fc.weight"))?;
        let mut b_in = tensors.take(&name("mlp.c_fc.bias"))?;
        let (ln_2, w_in) = reader(affine, config.layer_norm_epsilon, w_in, &mut b_in, processing)?;
        let w_out = tensors.take(&name("mlp.c_proj.weight"))?;
        let b_out = tensors.take(&name("mlp.c_proj.bias"))?;
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

/// Processes a map `[in, out]` that reads the residual stream through a LayerNorm, in place.
fn reader(
    affine: layer_norm::Affine,
    eps: f64,
    mut weight: Vec<f32>,
    bias: &mut [f32],
    processing: Processing,
) -> Result<(LayerNorm, Tensor)> {
    let affine = match processing.fold_ln {
        true => {
            layer_norm::fold(&affine, &mut weight, bias);
            None
        }
        false => Some(affine),
    };
    Ok((LayerNorm { eps, affine }, tensor::matrix(weight, bias.len())?))
}

/// Processes a map `[in, d_model]` that writes to the residual stream, and its bias, in place.
fn writer(mut weight: Vec<f32>, mut bias: Vec<f32>, processing: Processing) -> Result<(Tensor, Vec<f32>)> {
    if processing.center_writing_weights {
        weight.chunks_exact_mut(bias.len()).for_each(math::centre);
        math::centre(&mut bias);
    }
    Ok((tensor::matrix(weight, bias.len())?, bias))
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
