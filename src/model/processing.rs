//! The four weight-processing switches of TransformerLens.

use serde::{Deserialize, Serialize};

/// Which weight processing is applied, in the order of the fields. All on by default.
///
/// The names are those of TransformerLens' `HookedTransformer.from_pretrained`. None of them changes
/// log-probabilities; they do change what single components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processing {
    /// LayerNorm weights and biases move into the maps that read the residual stream.
    pub fold_ln: bool,
    /// Maps that write to the residual stream lose their mean over `d_model`.
    pub center_writing_weights: bool,
    /// `W_U` loses its mean over the vocabulary.
    pub center_unembed: bool,
    /// `b_O += b_V W_O`, then `b_V = 0`.
    pub fold_value_biases: bool,
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            fold_ln: true,
            center_writing_weights: true,
            center_unembed: true,
            fold_value_biases: true,
        }
    }
}
