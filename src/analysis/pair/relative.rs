//! The weights of the keys that a score is relative to.

use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::names::Relative;

/// The weight of every key that the destination sees, `[dest + 1]`, given their `scores`.
///
/// # Errors
/// [`ErrorKind::Request`] for a position that the destination does not see.
pub(super) fn key_weights(to: Relative, scores: &[f32]) -> Result<Vec<f64>> {
    let count = scores.len();
    check(to, count)?;
    Ok(match to {
        Relative::Mean => vec![1.0 / count as f64; count],
        Relative::Attention => {
            let mut row = scores.to_vec();
            math::softmax(&mut row);
            row.into_iter().map(f64::from).collect()
        }
        Relative::Position(position) => (0..count).map(|other| f64::from(u8::from(other == position))).collect(),
    })
}

/// The factors of the keys whose sum is the key at `src`, relative to others where `relative` says so: `1[j = src] -
/// w_j`, `[dest + 1]`.
///
/// # Errors
/// As [`key_weights`].
pub(super) fn key_factors(src: usize, relative: Option<Relative>, scores: &[f32]) -> Result<Vec<f64>> {
    let mut factors = match relative {
        Some(to) => key_weights(to, scores)?,
        None => vec![0.0; scores.len()],
    };
    factors.iter_mut().for_each(|weight| *weight = -*weight);
    if let Some(of_src) = factors.get_mut(src) {
        *of_src += 1.0;
    }
    Ok(factors)
}

/// The score to `src` among `scores [dest + 1]`, minus the (weighted) mean of the others where it is relative.
///
/// # Errors
/// As [`key_weights`].
pub(super) fn relative_score(scores: &[f32], src: usize, relative: Option<Relative>) -> Result<f32> {
    let score = scores.get(src).copied().unwrap_or_default();
    let Some(to) = relative else { return Ok(score) };
    let weights = key_weights(to, scores)?;
    let others = scores
        .iter()
        .zip(&weights)
        .map(|(&score, weight)| weight * f64::from(score));
    Ok((f64::from(score) - others.sum::<f64>()) as f32)
}

/// Checks that the destination, which sees `count` positions, sees the position that `to` names.
///
/// # Errors
/// As [`key_weights`].
pub(super) fn check(to: Relative, count: usize) -> Result<()> {
    match to {
        Relative::Position(position) if position >= count => {
            let cause = format!("a score can't be made relative to position {position}");
            Err(Error::new(ErrorKind::Request, cause)
                .expected(format!("a position from 0 to {}, the destination", count - 1)))
        }
        _ => Ok(()),
    }
}
