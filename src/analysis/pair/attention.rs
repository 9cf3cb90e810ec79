//! Where every head looks from one position, and what the model expects next there.

use super::question::Pair;
use crate::analysis::Array;
use crate::error::Result;
use crate::forward::{Model, Pass, PrefixTree, Request, Tap, Watcher};
use crate::names::{BlockHook, HookPoint};

/// Where every head looks from the destination of a [`Pair`], and what comes next there.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Scores of all heads from the destination, `[layer, head, pos]`; 0 after it, where no head looks.
    pub scores: Array,
    /// Their probabilities, `[layer, head, pos]`; 0 after the destination.
    pub pattern: Array,
    /// Entropy of those, `[layer, head]`, in nats.
    pub entropy: Array,
    /// Probabilities of the pair's head from every position, `[pos, pos]`; 0 after each.
    pub of_head: Array,
    /// Log-probabilities of the token that comes after the destination, `[d_vocab]`.
    pub log_probs: Vec<f32>,
}

impl Attention {
    /// The `count` likeliest tokens after the destination with their log-probabilities, the likeliest first; of equal ones the
    /// one with the lower id.
    pub fn next(&self, count: usize) -> Vec<(u32, f32)> {
        let mut tokens: Vec<(u32, f32)> = (0u32..).zip(self.log_probs.iter().copied()).collect();
        tokens.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        tokens.truncate(count);
        tokens
    }
}

/// Takes the sentence of `pair` through the whole model.
///
/// # Errors
/// [`crate::ErrorKind::Request`] for a head or positions that there are not, [`crate::ErrorKind::Prompt`] for a sentence that does
/// not fit the context, errors of reading, and `watcher`'s.
pub async fn attention(model: &mut Model, pair: &Pair, watcher: &dyn Watcher) -> Result<Attention> {
    pair.check(model)?;
    let (layers, heads, count) = (model.config().n_layer, model.config().n_head, pair.tokens.len());
    let tree = PrefixTree::new([&pair.tokens[..]]);
    let rows = tree.path(0).to_vec();
    let dest = rows[pair.dest];
    let at_dest = |hook| (0..layers).map(move |layer| Tap::new(HookPoint::block(layer, hook), vec![dest]));
    let of_head = Tap::new(HookPoint::block(pair.head.layer, BlockHook::Pattern), rows).of_head(pair.head.head);
    let taps = at_dest(BlockHook::AttnScores)
        .chain(at_dest(BlockHook::Pattern))
        .chain([of_head]);
    let mut passes = [Pass::new(tree, Request::of(taps.collect()))];
    model.run(&mut passes, layers, watcher).await?;
    let [pass] = passes;
    let log_probs = model.log_probs_at(&pass, &[dest], watcher).await?;

    // Rows of all heads, each as long as the sentence.
    let whole = |taps: std::ops::Range<usize>| {
        let mut all = Vec::with_capacity(layers * heads * count);
        for captured in &pass.captured[taps] {
            for row in captured.row(0).chunks_exact(pair.dest + 1) {
                all.extend_from_slice(row);
                all.resize(all.len() + count - row.len(), 0.0);
            }
        }
        Array::new(vec![layers, heads, count], all)
    };
    let (scores, pattern) = (whole(0..layers)?, whole(layers..2 * layers)?);
    let mut of_head = Vec::with_capacity(count * count);
    for position in 0..count {
        of_head.extend_from_slice(pass.captured[2 * layers].row(position));
        of_head.resize((position + 1) * count, 0.0);
    }
    let entropy = pattern.data().chunks_exact(count.max(1)).map(entropy).collect();
    Ok(Attention {
        entropy: Array::new(vec![layers, heads], entropy)?,
        of_head: Array::new(vec![count, count], of_head)?,
        log_probs: log_probs.into_iter().next().unwrap_or_default(),
        scores,
        pattern,
    })
}

/// Entropy of probabilities in nats; what is 0 adds nothing.
fn entropy(probabilities: &[f32]) -> f32 {
    let seen = probabilities.iter().map(|&p| f64::from(p)).filter(|p| *p > 0.0);
    // Adding 0 makes the -0 of a certain row a plain 0.
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
