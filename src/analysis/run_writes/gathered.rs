//! What the passes say of every prompt, kept until W_U passes by.

use std::collections::BTreeSet;

use crate::prompts::Targets;

/// What a pass says of one prompt.
pub(super) struct Gathered {
    pub(super) source: u32,
    /// The tokens of the prompt up to the destination.
    pub(super) tokens: BTreeSet<u32>,
    pub(super) targets: Targets,
    /// From the destination to the source.
    pub(super) attention: f32,
    pub(super) attended: Attended,
    /// Scale of the final LayerNorm at the destination.
    pub(super) scale: f32,
    /// Of the head at the source, `[d_head]`.
    pub(super) value: Vec<f32>,
    /// Of the head at the destination, `[d_head]`.
    pub(super) z: Vec<f32>,
    /// resid_pre of the head's layer at the destination, `[d_model]`.
    pub(super) resid: Vec<f32>,
    /// The last residual stream there, `[d_model]`.
    pub(super) last: Vec<f32>,
}

/// The tokens that a head looks at, position 0 apart: it is where heads look that have nothing to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attended {
    /// The one that it looks at most.
    pub(super) first: Option<u32>,
    /// The one that it looks at most among other tokens.
    pub(super) second: Option<u32>,
    /// All tokens but the first.
    pub(super) others: Vec<u32>,
}

impl Attended {
    /// In a prompt of `tokens`, where `row` is what the head has for each of those that the destination sees.
    pub(super) fn of(tokens: &[u32], row: &[f32]) -> Self {
        let mut seen: Vec<(u32, f32)> = tokens.iter().copied().zip(row.iter().copied()).skip(1).collect();
        // Stable: of equal ones the first position.
        seen.sort_by(|left, right| right.1.total_cmp(&left.1));
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
        // Position 0 may have the same token as one that is attended.
        let found = Attended::of(&[7, 7], &[0.5, 0.5]);
        assert_eq!((found.first, found.second, found.others.len()), (Some(7), None, 0));
    }
}
