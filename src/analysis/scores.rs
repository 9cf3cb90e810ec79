//! The destination head's scores in one batch.

use crate::error::Result;
use crate::forward::{HeadWeights, PrefixTree};
use crate::math;
use crate::names::Normalization;

/// The destination head's queries, keys and scores in a batch.
///
/// The last position of every sequence is END.
pub(crate) struct HeadScores<'a> {
    pub(crate) tree: &'a PrefixTree,
    pub(crate) weights: &'a HeadWeights,
    /// `resid_pre` of the head's layer, `[rows, d_model]`.
    resid: &'a [f32],
    /// `ln_scale` of every row, `[rows]`.
    pub(crate) ln_scale: Vec<f32>,
    /// Keys, `[rows, d_head]`.
    keys: Vec<f32>,
    /// Queries at END, `[prompts, d_head]`.
    queries: Vec<f32>,
}

impl<'a> HeadScores<'a> {
    /// Computes queries at END and keys everywhere for the first `prompts` sequences of `tree`. `resid [rows, d_model]`
    /// is the input of the head's layer.
    pub(crate) fn new(
        weights: &'a HeadWeights,
        tree: &'a PrefixTree,
        resid: &'a [f32],
        prompts: usize,
    ) -> Result<Self> {
        let (normalized, ln_scale) = weights.normalize(resid);
        let d_model = normalized.len() / ln_scale.len().max(1);
        let mut at_end = Vec::with_capacity(prompts * d_model);
        for prompt in 0..prompts {
            if let Some(end) = tree.path(prompt).last() {
                at_end.extend_from_slice(&normalized[end * d_model..][..d_model]);
            }
        }
        Ok(Self {
            tree,
            weights,
            resid,
            ln_scale,
            keys: weights.keys(normalized)?,
            queries: weights.queries(at_end)?,
        })
    }

    /// resid_pre of the head's layer at `row`, `[d_model]`.
    pub(crate) fn resid_at(&self, row: usize) -> &'a [f32] {
        let d_model = self.resid.len() / self.tree.len().max(1);
        &self.resid[row * d_model..][..d_model]
    }

    /// Query at END of prompt `prompt`, `[d_head]`.
    pub(crate) fn query(&self, prompt: usize) -> &[f32] {
        &self.queries[prompt * self.weights.d_head()..][..self.weights.d_head()]
    }

    /// Key at `position` of prompt `prompt`, `[d_head]`.
    pub(crate) fn key(&self, prompt: usize, position: usize) -> &[f32] {
        let row = self.tree.path(prompt)[position];
        &self.keys[row * self.weights.d_head()..][..self.weights.d_head()]
    }

    /// Scores from END to every position up to END, `[pos]`.
    pub(crate) fn row(&self, prompt: usize) -> Vec<f32> {
        let query = self.query(prompt);
        let positions = 0..self.tree.path(prompt).len();
        positions
            .map(|position| self.weights.score(query, self.key(prompt, position)))
            .collect()
    }
}

/// A score as a linear function of a normalized vector: `x . map + bias`.
pub(crate) struct LinearScore {
    map: Vec<f32>,
    bias: f32,
}

impl LinearScore {
    /// From the `map` and `bias` of [`HeadWeights`].
    pub(crate) fn new((map, bias): (Vec<f32>, f32)) -> Self {
        Self { map, bias }
    }

    /// The score if `vector [d_model]`, normalized as `normalization` says, replaces the normalized residual stream
    /// that the head reads.
    pub(crate) fn substituted(&self, weights: &HeadWeights, vector: &[f32], normalization: Normalization) -> f32 {
        let linear = match normalization {
            Normalization::Notebook => math::dot(vector, &self.map) / math::standard_deviation(vector),
            Normalization::LayerNorm => math::dot(&weights.normalize(vector).0, &self.map),
        };
        (linear + f64::from(self.bias)) as f32
    }
}

/// Probability of `position` if its score in the row `scores` is replaced by `score`.
pub(crate) fn probability(scores: &[f32], position: usize, score: f32) -> f32 {
    let mut row = scores.to_vec();
    row[position] = score;
    math::softmax(&mut row);
    row[position]
}
