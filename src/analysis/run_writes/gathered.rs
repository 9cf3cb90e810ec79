//! What the passes capture from every prompt, kept until W_U is streamed.

use std::collections::BTreeSet;

use crate::math::sort_descending;
use crate::prompts::Targets;

/// Captured data of one prompt.
pub(super) struct Gathered {
    pub(super) source: u32,
    /// The tokens of the prompt up to the destination.
    pub(super) tokens: BTreeSet<u32>,
    pub(super) targets: Targets,
    /// Attention from the destination to the source.
    pub(super) attention: f32,
    pub(super) attended: Attended,
    /// Scale of the final LayerNorm at the destination.
    pub(super) scale: f32,
    /// Value of the head at the source, `[d_head]`.
    pub(super) value: Vec<f32>,
    /// `z` of the head at the destination, `[d_head]`.
    pub(super) z: Vec<f32>,
    /// resid_pre of the head's layer at the destination, `[d_model]`.
    pub(super) resid: Vec<f32>,
    /// The residual stream after the last layer at the destination, `[d_model]`.
    pub(super) last: Vec<f32>,
}

/// The tokens that a head attends to, without position 0, where idle heads attend.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attended {
    /// The token with the most attention.
    pub(super) first: Option<u32>,
    /// The token with the most attention among the others.
    pub(super) second: Option<u32>,
    /// All tokens but the first.
    pub(super) others: Vec<u32>,
}

impl Attended {
    /// For a prompt with `tokens`; `row` is the head's attention to each position that the destination sees.
    pub(super) fn of(tokens: &[u32], row: &[f32]) -> Self {
        let mut seen: Vec<(u32, f32)> = tokens.iter().copied().zip(row.iter().copied()).skip(1).collect();
        // A stable sort: on ties the first position.
        sort_descending(&mut seen, |one| one.1);
        let first = seen.first().map(|(token, _)| *token);
        let others = seen
            .iter()
            .map(|(token, _)| *token)
            .filter(|token| Some(*token) != first);
        let second = others.clone().next();
        let others: BTreeSet<u32> = others.collect();
        Self {
            first,
            second,
            others: others.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_position_is_not_attended_and_the_second_is_another_token() {
        let found = Attended::of(&[7, 3, 5, 3, 4], &[0.9, 0.02, 0.03, 0.04, 0.01]);
        assert_eq!((found.first, found.second), (Some(3), Some(5)));
        assert_eq!(found.others, [4, 5]);
        assert_eq!(Attended::of(&[7], &[1.0]), Attended::default());
        // Position 0 may have the same token as an attended position.
        let found = Attended::of(&[7, 7], &[0.5, 0.5]);
        assert_eq!((found.first, found.second, found.others.len()), (Some(7), None, 0));
    }
}
