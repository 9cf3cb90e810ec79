//! The attention of every head from one position, and the most likely next tokens.

use super::position_pair::Pair;
use super::sentence::Sentence;
use crate::analysis::Array;
use crate::error::Result;
use crate::forward::Model;
use crate::math;
use crate::names::Head;

/// The attention of every head from the destination of a [`Pair`].
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Scores of all heads from the destination, `[layer, head, pos]`; 0 after the destination.
    pub scores: Array,
    /// Their probabilities, `[layer, head, pos]`; 0 after the destination.
    pub pattern: Array,
    /// Entropy of these, `[layer, head]`, in nats.
    pub entropy: Array,
    /// Probabilities of the pair's head from every position, `[pos, pos]`; 0 above the diagonal.
    pub of_head: Array,
}

/// The `count` most likely tokens of `log_probs [d_vocab]` with them, most likely first; on ties the lower id.
pub fn likeliest(log_probs: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut tokens: Vec<(u32, f32)> = (0u32..).zip(log_probs.iter().copied()).collect();
    tokens.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    tokens.truncate(count);
    tokens
}

/// The attention in `sentence`, which must be the sentence of `pair`.
///
/// # Errors
/// [`crate::ErrorKind::Request`] for a head or positions that do not exist, [`crate::ErrorKind::Prompt`] for a sentence
/// that does not fit the context.
pub fn attention(model: &Model, sentence: &Sentence, pair: &Pair) -> Result<Attention> {
    pair.check(model)?;
    let (layers, heads, count) = (model.config().n_layer, model.config().n_head, pair.tokens.len());
    let mut scores = Vec::with_capacity(layers * heads * count);
    let mut pattern = Vec::with_capacity(layers * heads * count);
    for head in (0..layers).flat_map(|layer| (0..heads).map(move |head| Head::new(layer, head))) {
        let row = sentence.scores(model, head, pair.dest)?;
        let end = scores.len() + count;
        scores.extend_from_slice(&row);
        scores.resize(end, 0.0);
        pattern.extend(probabilities(row));
        pattern.resize(end, 0.0);
    }
    let mut of_head = Vec::with_capacity(count * count);
    for position in 0..count {
        of_head.extend(probabilities(sentence.scores(model, pair.head, position)?));
        of_head.resize((position + 1) * count, 0.0);
    }
    let entropy = pattern.chunks_exact(count.max(1)).map(entropy).collect();
    Ok(Attention {
        scores: Array::new(vec![layers, heads, count], scores)?,
        pattern: Array::new(vec![layers, heads, count], pattern)?,
        entropy: Array::new(vec![layers, heads], entropy)?,
        of_head: Array::new(vec![count, count], of_head)?,
    })
}

fn probabilities(mut scores: Vec<f32>) -> Vec<f32> {
    math::softmax(&mut scores);
    scores
}

/// Entropy of probabilities in nats.
pub(super) fn entropy(probabilities: &[f32]) -> f32 {
    let seen = probabilities.iter().map(|&p| f64::from(p)).filter(|p| *p > 0.0);
    // Adding 0 turns the -0 of a row with a single 1 into 0.
    (-seen.map(|p| p * p.ln()).sum::<f64>() + 0.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_rows() {
        assert_eq!(entropy(&[1.0, 0.0]), 0.0);
        assert!(entropy(&[1.0]).is_sign_positive());
        assert!((entropy(&[0.25; 4]) - 4f32.ln()).abs() < 1e-6);
    }
}
