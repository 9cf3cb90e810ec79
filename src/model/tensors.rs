//! The tensors of a GPT-2 checkpoint with their Hugging Face names and shapes: one table for reading, training and
//! synthetic checkpoints.

use std::collections::BTreeMap;

use crate::checkpoint::{Expected, TensorSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::layer_norm::Affine;

/// A size that occurs in shapes.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// `d_vocab`.
    Vocab,
    /// `n_ctx`.
    Context,
    /// `d_model`.
    Model,
    /// Queries, keys and values side by side, `3 * d_model`.
    Qkv,
    /// `d_mlp`.
    Mlp,
}

impl Size {
    fn of(self, config: &Config) -> usize {
        match self {
            Self::Vocab => config.d_vocab,
            Self::Context => config.n_ctx,
            Self::Model => config.d_model,
            Self::Qkv => 3 * config.d_model,
            Self::Mlp => config.d_mlp,
        }
    }
}

/// The part of a model that a tensor belongs to. A part is read as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorGroup {
    /// Embedding matrices, which are read row by row.
    Embedding,
    /// The unembedding of a model whose embeddings are not tied: read row by row, and optional.
    Unembedding,
    /// The final LayerNorm.
    FinalLayerNorm,
    /// Queries, keys and values of a block.
    AttentionInput,
    /// The rest of a block.
    BlockRest,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorRow {
    /// The name; for a block's tensor, the part after `h.N.`.
    name: &'static str,
    shape: &'static [Size],
    part: TensorGroup,
}

/// A row of the table.
const fn row(name: &'static str, shape: &'static [Size], part: TensorGroup) -> TensorRow {
    TensorRow { name, shape, part }
}

use Size::{Context, Mlp, Model, Qkv, Vocab};
use TensorGroup::{AttentionInput, BlockRest, Embedding, FinalLayerNorm, Unembedding};

pub(crate) const WTE: TensorRow = row("wte.weight", &[Vocab, Model], Embedding);
pub(crate) const WPE: TensorRow = row("wpe.weight", &[Context, Model], Embedding);
pub(crate) const LN_1_WEIGHT: TensorRow = row("ln_1.weight", &[Model], AttentionInput);
pub(crate) const LN_1_BIAS: TensorRow = row("ln_1.bias", &[Model], AttentionInput);
pub(crate) const LN_2_WEIGHT: TensorRow = row("ln_2.weight", &[Model], BlockRest);
pub(crate) const LN_2_BIAS: TensorRow = row("ln_2.bias", &[Model], BlockRest);
pub(crate) const C_ATTN_WEIGHT: TensorRow = row("attn.c_attn.weight", &[Model, Qkv], AttentionInput);
pub(crate) const C_ATTN_BIAS: TensorRow = row("attn.c_attn.bias", &[Qkv], AttentionInput);
pub(crate) const ATTN_C_PROJ_WEIGHT: TensorRow = row("attn.c_proj.weight", &[Model, Model], BlockRest);
pub(crate) const ATTN_C_PROJ_BIAS: TensorRow = row("attn.c_proj.bias", &[Model], BlockRest);
pub(crate) const C_FC_WEIGHT: TensorRow = row("mlp.c_fc.weight", &[Model, Mlp], BlockRest);
pub(crate) const C_FC_BIAS: TensorRow = row("mlp.c_fc.bias", &[Mlp], BlockRest);
pub(crate) const MLP_C_PROJ_WEIGHT: TensorRow = row("mlp.c_proj.weight", &[Mlp, Model], BlockRest);
pub(crate) const MLP_C_PROJ_BIAS: TensorRow = row("mlp.c_proj.bias", &[Model], BlockRest);
pub(crate) const LN_F_WEIGHT: TensorRow = row("ln_f.weight", &[Model], FinalLayerNorm);
pub(crate) const LN_F_BIAS: TensorRow = row("ln_f.bias", &[Model], FinalLayerNorm);
pub(crate) const LM_HEAD: TensorRow = row("lm_head.weight", &[Vocab, Model], Unembedding);

/// All tensors in the order of the published files; the rows of a block apply to every block.
const TABLE: [TensorRow; 17] = [
    WTE,
    WPE,
    LN_1_WEIGHT,
    LN_1_BIAS,
    LN_2_WEIGHT,
    LN_2_BIAS,
    C_ATTN_WEIGHT,
    C_ATTN_BIAS,
    ATTN_C_PROJ_WEIGHT,
    ATTN_C_PROJ_BIAS,
    C_FC_WEIGHT,
    C_FC_BIAS,
    MLP_C_PROJ_WEIGHT,
    MLP_C_PROJ_BIAS,
    LN_F_WEIGHT,
    LN_F_BIAS,
    LM_HEAD,
];

/// Causal-mask buffers of a block, 50 MB in GPT-2 small: never read. Not to be confused with `attn.c_attn.bias`.
const MASK_BUFFERS: [&str; 2] = ["attn.bias", "attn.masked_bias"];

/// The prefix of names in checkpoints of a model with a language-modeling head.
const PREFIX: &str = "transformer.";

impl TensorRow {
    /// The tensor's name in block `layer`.
    pub(crate) fn in_block(&self, layer: usize) -> String {
        block_name(layer, self.name)
    }

    /// The name of a tensor that belongs to no block.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The shape in a model of `config`.
    pub(crate) fn shape(&self, config: &Config) -> Vec<usize> {
        self.shape.iter().map(|size| size.of(config)).collect()
    }

    /// Whether it is a bias. Biases that a checkpoint lacks are 0.
    fn is_bias(&self) -> bool {
        self.name.ends_with(".bias")
    }

    /// The names: one per block, or just one.
    fn names(&self, config: &Config) -> Vec<String> {
        match self.part {
            AttentionInput | BlockRest => (0..config.n_layer).map(|layer| self.in_block(layer)).collect(),
            Embedding | Unembedding | FinalLayerNorm => vec![self.name.to_owned()],
        }
    }

    /// Name and shape of a tensor that belongs to no block.
    pub(crate) fn spec(&self, config: &Config) -> TensorSpec {
        (self.name.to_owned(), self.shape(config))
    }
}

fn block_name(layer: usize, name: &str) -> String {
    format!("h.{layer}.{name}")
}

/// The tensors of `part` (a part of a block) in block `layer`.
pub(crate) fn of_layer(config: &Config, layer: usize, part: TensorGroup) -> Vec<TensorSpec> {
    let rows = TABLE.iter().filter(|row| row.part == part);
    rows.map(|row| (row.in_block(layer), row.shape(config))).collect()
}

/// The tensors of `part` (not a part of a block).
pub(crate) fn of_part(config: &Config, part: TensorGroup) -> Vec<TensorSpec> {
    let rows = TABLE.iter().filter(|row| row.part == part);
    rows.map(|row| row.spec(config)).collect()
}

/// All tensors of block `layer`.
pub(crate) fn of_block(config: &Config, layer: usize) -> Vec<TensorSpec> {
    let rows = TABLE
        .iter()
        .filter(|row| matches!(row.part, AttentionInput | BlockRest));
    rows.map(|row| (row.in_block(layer), row.shape(config))).collect()
}

/// Every tensor that a model of `config` must have, with its shape. Linear maps are `[in, out]`.
pub(crate) fn required(config: &Config) -> Vec<TensorSpec> {
    let mut tensors = of_part(config, Embedding);
    tensors.extend((0..config.n_layer).flat_map(|layer| of_block(config, layer)));
    tensors.extend(of_part(config, FinalLayerNorm));
    tensors
}

/// Name and shape of the causal-mask buffer that published files have in block `layer`.
#[cfg(feature = "cli")]
pub(crate) fn mask_buffer(config: &Config, layer: usize) -> TensorSpec {
    (
        block_name(layer, MASK_BUFFERS[0]),
        vec![1, 1, config.n_ctx, config.n_ctx],
    )
}

/// The tensors that a weights file for a model of `config` must or may contain.
///
/// Biases may be missing, but only from all blocks: see [`missing_biases`].
pub(crate) fn expected(config: &Config) -> Expected {
    let (biases, tensors) = required(config)
        .into_iter()
        .partition::<Vec<_>, _>(|(name, _)| name.ends_with(".bias"));
    let mut optional = vec![LM_HEAD.spec(config)];
    optional.extend(biases);
    Expected {
        tensors,
        optional,
        prefix: PREFIX,
        ignored: is_mask_buffer,
        owner: format!("a GPT-2 model with {} layers", config.n_layer),
    }
}

/// The biases that `file` lacks in every block: some models have none. `has` tells which tensors exist.
///
/// # Errors
/// [`ErrorKind::Checkpoint`] where only some blocks lack one: the file is not whole.
pub(crate) fn missing_biases(config: &Config, file: &str, has: impl Fn(&str) -> bool) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for row in TABLE.iter().filter(|row| row.is_bias()) {
        let names = row.names(config);
        let lacking: Vec<&String> = names.iter().filter(|name| !has(name)).collect();
        match lacking[..] {
            [] => {}
            _ if lacking.len() == names.len() => missing.push(row.name),
            [first, ..] => {
                return Err(Error::new(
                    ErrorKind::Checkpoint,
                    format!("{file} has no tensor {first}, which other blocks have"),
                )
                .expected("the biases of all blocks, or of none")
                .advice("The file is not whole; download or write it again."));
            }
        }
    }
    Ok(missing)
}

/// Whether `name` (without prefix) is a buffer with the causal mask: `h.N.attn.bias` or `h.N.attn.masked_bias`.
fn is_mask_buffer(name: &str) -> bool {
    let of_block = name.strip_prefix("h.").and_then(|rest| rest.split_once('.'));
    of_block.is_some_and(|(layer, name)| layer.parse::<usize>().is_ok() && MASK_BUFFERS.contains(&name))
}

/// Tensors that were read, by name. Each can be taken once.
pub(crate) struct Tensors(pub(crate) BTreeMap<String, Vec<f32>>);

impl Tensors {
    /// The elements of tensor `name`.
    pub(crate) fn take(&mut self, name: &str) -> Result<Vec<f32>> {
        let missing = || Error::new(ErrorKind::Internal, format!("tensor {name} was not read"));
        self.0.remove(name).ok_or_else(missing)
    }

    /// A LayerNorm's weight and bias, whose names are given.
    pub(crate) fn affine(&mut self, weight: &str, bias: &str) -> Result<Affine> {
        Ok(Affine {
            weight: self.take(weight)?,
            bias: self.take(bias)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_buffers_are_told_from_biases() {
        for name in ["h.0.attn.bias", "h.11.attn.masked_bias"] {
            assert!(is_mask_buffer(name), "{name}");
        }
        for name in [
            "h.0.attn.c_attn.bias",
            "h.0.attn.c_proj.bias",
            "h.x.attn.bias",
            "attn.bias",
            "h.0.attn.bias.x",
        ] {
            assert!(!is_mask_buffer(name), "{name}");
        }
    }
}
