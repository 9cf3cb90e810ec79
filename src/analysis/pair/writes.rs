//! The output of a head at the destination, in terms of tokens: the logits that it raises and lowers.

use super::position_pair::Pair;
use super::sentence::Sentence;
use crate::error::Result;
use crate::forward::{Model, Monitor};

/// Number of most raised and most lowered tokens to list.
const LISTED: usize = 10;

/// The output of a head per unit of attention to a source token.
#[derive(Debug, Clone, PartialEq)]
pub struct Writes {
    /// The attention from the destination to the source.
    pub attention: f32,
    /// The effect of a unit of attention on the logit of every token, `[d_vocab]`, relative to the mean over the
    /// vocabulary.
    pub logits: Vec<f32>,
}

/// A token and a number.
pub type Valued = (u32, f32);

impl Sentence {
    /// The output of `pair`'s head at the destination per unit of attention to the source: `v_src W_O / sigma_f . W_U`,
    /// relative to its mean over the vocabulary, so that it does not depend on
    /// [`crate::model::Processing::center_unembed`]. b_V is part of the value where it is not folded. Streams W_U.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a head or positions that do not exist, read errors, and those of `monitor`.
    pub async fn writes(&self, model: &mut Model, pair: &Pair, monitor: &dyn Monitor) -> Result<Writes> {
        pair.check(model)?;
        let attention = self.probabilities(model, pair.head, pair.dest)?[pair.src];
        let scale = f64::from(self.final_scale(model, pair.dest)?);
        let value = self.value(model, pair.head, pair.src)?.iter().copied().map(f64::from);
        let mut written = model.written_by(pair.head, &value.collect::<Vec<_>>(), monitor).await?;
        written.iter_mut().for_each(|v| *v /= scale);
        Ok(Writes {
            attention,
            logits: model.raised(&written, monitor).await?,
        })
    }
}

impl Writes {
    /// The most raised tokens, in descending order; on ties the lower id first.
    pub fn raised(&self) -> Vec<Valued> {
        extreme_tokens(&self.logits).0
    }

    /// The most lowered tokens, the lowest first.
    pub fn lowered(&self) -> Vec<Valued> {
        extreme_tokens(&self.logits).1
    }

    /// Rank of `token` by the effect on its logit; 1 is the most raised. None beyond the vocabulary.
    pub fn rank(&self, token: u32) -> Option<usize> {
        let of_token = *self.logits.get(token as usize)?;
        Some(1 + self.logits.iter().filter(|logit| **logit > of_token).count())
    }
}

/// The tokens with the ten largest of `values [d_vocab]` in descending order, and with the ten smallest in ascending
/// order; on ties the lower id first.
pub(super) fn extreme_tokens(values: &[f32]) -> (Vec<Valued>, Vec<Valued>) {
    let extremes = |order: fn(f32, f32) -> std::cmp::Ordering| {
        let mut tokens: Vec<Valued> = (0u32..).zip(values.iter().copied()).collect();
        let by = |one: &Valued, other: &Valued| order(one.1, other.1).then(one.0.cmp(&other.0));
        if tokens.len() > LISTED {
            tokens.select_nth_unstable_by(LISTED, by);
            tokens.truncate(LISTED);
        }
        tokens.sort_by(by);
        tokens
    };
    (
        extremes(|one, other| other.total_cmp(&one)),
        extremes(|one, other| one.total_cmp(&other)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_of_known_numbers() {
        let values: Vec<f32> = (0..30).map(|token| (token % 15) as f32 - 7.0).collect();
        let (most, least) = extreme_tokens(&values);
        assert_eq!(most.len(), LISTED);
        assert_eq!(most[..3], [(14, 7.0), (29, 7.0), (13, 6.0)]);
        assert_eq!(least[..3], [(0, -7.0), (15, -7.0), (1, -6.0)]);
        let (most, least) = extreme_tokens(&values[..2]);
        assert_eq!((most, least), (vec![(1, -6.0), (0, -7.0)], vec![(0, -7.0), (1, -6.0)]));
    }

    #[test]
    fn the_most_raised_token_is_the_first() {
        let writes = Writes {
            attention: 0.5,
            logits: vec![0.5, 2.0, -1.0, 2.0],
        };
        let ranks = [0, 1, 2, 3, 4].map(|token| writes.rank(token));
        assert_eq!(ranks, [Some(3), Some(1), Some(4), Some(1), None]);
        assert_eq!(writes.raised()[0], (1, 2.0));
        assert_eq!(writes.lowered()[0], (2, -1.0));
    }
}
