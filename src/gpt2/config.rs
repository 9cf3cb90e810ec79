//! `config.json`: the shape of a model.

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// The shape of a GPT-2 model, under the names of TransformerLens.
///
/// In `config.json` the fields are `n_layer`, `n_head`, `n_embd`, `n_inner` (absent or null: 4 x
/// `n_embd`), `vocab_size`, `n_positions` (or `n_ctx`) and `layer_norm_epsilon`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Number of blocks.
    pub n_layer: usize,
    /// Attention heads per block.
    pub n_head: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the MLP's hidden layer.
    pub d_mlp: usize,
    /// Entries of the vocabulary.
    pub d_vocab: usize,
    /// Longest prompt, in tokens.
    pub n_ctx: usize,
    /// `eps` of every LayerNorm.
    pub layer_norm_epsilon: f64,
    /// Token that stands for the beginning of a text.
    pub bos_token_id: u32,
}

impl Config {
    /// Width of one head, `d_model / n_head`.
    pub fn d_head(&self) -> usize {
        self.d_model / self.n_head
    }

    /// Reads `config.json`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] for text that is not JSON, a missing or impossible field, or
    /// another architecture (`model_type`, `activation_function`, attention scaling variants).
    pub fn from_json(_bytes: &[u8]) -> Result<Self> {
        todo!("core")
    }
}
