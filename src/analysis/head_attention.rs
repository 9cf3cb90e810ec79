//! Queries, keys and scores of one head in one sequence.

use crate::error::Result;
use crate::forward::{Model, Monitor};
use crate::names::Head;

/// Queries, keys and scores of one head at every position of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadAttention {
    /// Queries, `[pos, d_head]`.
    pub queries: Vec<f32>,
    /// Keys, `[pos, d_head]`.
    pub keys: Vec<f32>,
    /// Scores, a row per query: `scores[query][key]` with `key <= query`.
    pub scores: Vec<Vec<f32>>,
}

/// Queries, keys and scores of `head` at every position of `tokens`.
///
/// # Errors
/// As [`crate::analysis::contributions()`].
pub async fn head_attention(
    model: &mut Model,
    tokens: &[u32],
    head: Head,
    monitor: &dyn Monitor,
) -> Result<HeadAttention> {
    model.config().check_head(head)?;
    let resid = model.resid_pre(tokens, head.layer, monitor).await?;
    let weights = model.head_weights(head, monitor).await?;
    let (normalized, _) = weights.normalize(&resid);
    let (queries, keys) = (weights.queries(normalized.clone())?, weights.keys(normalized)?);
    let rows = |vectors: &[f32]| {
        vectors
            .chunks_exact(weights.d_head())
            .map(<[f32]>::to_vec)
            .collect::<Vec<_>>()
    };
    let key_rows = rows(&keys);
    let score_row = |(index, query): (usize, Vec<f32>)| {
        key_rows[..=index]
            .iter()
            .map(|key| weights.score(&query, key))
            .collect()
    };
    let scores = rows(&queries).into_iter().enumerate().map(score_row).collect();
    Ok(HeadAttention { queries, keys, scores })
}
