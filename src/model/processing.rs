//! The four weight-processing switches of TransformerLens.

use serde::{Deserialize, Serialize};

/// The weight processing, in the order of the fields. All are on by default.
///
/// The names are those of TransformerLens' `HookedTransformer.from_pretrained`. None of them changes log-probabilities;
/// they do change single components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processing {
    /// Folds LayerNorm weights and biases into the maps that read the residual stream.
    pub fold_ln: bool,
    /// Centers the maps that write to the residual stream over `d_model`.
    pub center_writing_weights: bool,
    /// Centers W_U over the vocabulary.
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
