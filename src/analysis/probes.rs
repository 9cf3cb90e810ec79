//! Classifies heads by their attention on repeated random tokens: previous-token, duplicate-token and induction heads.

use serde::{Deserialize, Serialize};

use super::array::Array;
use super::cell_attention::{Cells, measure_cells};
use super::progress_tracker::ProgressTracker;
use super::request::{Observer, Phase};
use crate::error::Result;
use crate::forward::{Model, Monitor};
use crate::math::sort_descending;
use crate::names::{Head, HeadRole};
use crate::prompts::ioi::random::PythonRandom;

/// Heads with their roles and the measure of each role: see [`Probes::roles`].
pub type HeadRoles = Vec<(Head, Vec<(HeadRole, f32)>)>;

/// A head gets the name of a role if its measure is at least this.
pub const MIN_ROLE_MEASURE: f32 = 0.4;

/// Number of sequences.
const SEQUENCES: usize = 32;
/// Number of random tokens per sequence; the sequence repeats them once.
const TOKENS: usize = 50;
/// Seed of the random tokens.
const SEED: u64 = 0;

/// The attention of every head to where a head of each role would attend, `[layer, head]` from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// From every position but the first to the token before.
    pub previous_token: Array,
    /// From the second copy to the same token in the first copy.
    pub duplicate_token: Array,
    /// From the second copy to the token after the same token in the first copy.
    pub induction: Array,
}

impl Probes {
    /// The measure of `role`, `[layer, head]`.
    pub const fn of(&self, role: HeadRole) -> &Array {
        match role {
            HeadRole::PreviousToken => &self.previous_token,
            HeadRole::DuplicateToken => &self.duplicate_token,
            HeadRole::Induction => &self.induction,
        }
    }

    /// The heads whose measure of some role is at least `threshold` ([`MIN_ROLE_MEASURE`]), by layer, each with its roles and
    /// their measures, the largest first.
    pub fn roles(&self, threshold: f32) -> HeadRoles {
        let layers = (0..).map_while(|layer| self.previous_token.row(layer)).enumerate();
        let heads = layers.flat_map(|(layer, heads)| (0..heads.len()).map(move |head| Head::new(layer, head)));
        heads
            .filter_map(|head| {
                let value = |role: HeadRole| {
                    let of_layer = self.of(role).row(head.layer)?;
                    Some((role, *of_layer.get(head.head)?)).filter(|(_, value)| *value >= threshold)
                };
                let mut roles: Vec<(HeadRole, f32)> = HeadRole::ALL.into_iter().filter_map(value).collect();
                sort_descending(&mut roles, |role| role.1);
                (!roles.is_empty()).then_some((head, roles))
            })
            .collect()
    }
}

/// The sequences for a vocabulary of `d_vocab` and a context of `n_ctx`: 32 sequences of 50 random tokens (or half the
/// context, if that is shorter), each repeated once.
///
/// The tokens are those of Python's `random.seed(0)`, then for each sequence `[random.randrange(d_vocab) for _ in
/// range(50)]`.
pub fn sequences(d_vocab: usize, n_ctx: usize) -> Vec<Vec<u32>> {
    let mut python = PythonRandom::new(SEED);
    let count = TOKENS.min(n_ctx / 2);
    (0..SEQUENCES)
        .map(|_| {
            let drawn: Vec<u32> = (0..count).map(|_| python.below(d_vocab as u32)).collect();
            drawn.repeat(2)
        })
        .collect()
}

/// Takes the [`sequences`] through all of `model` and measures its heads: means over sequences and, except for the
/// previous token, over positions of the second copy.
///
/// No pattern is stored. For a context of one token, all measures are 0.
///
/// # Errors
/// Read errors, and those of `monitor`.
pub async fn probes(model: &mut Model, monitor: &dyn Monitor) -> Result<Probes> {
    let (layers, heads) = (model.config().n_layer, model.config().n_head);
    let sequences = sequences(model.config().d_vocab, model.config().n_ctx);
    let cells = cells(&sequences);
    let found = if cells.is_empty() {
        Vec::new()
    } else {
        measure_cells(model, &sequences, (&cells, HeadRole::ALL.len()), monitor).await?
    };
    let mut found = found.into_iter();
    let mut next = || match found.next().flatten() {
        Some(looks) => looks.into_iter().flatten().map(|look| look.mean as f32).collect(),
        None => vec![0.0; layers * heads],
    };
    let mut array = || Array::new(vec![layers, heads], next());
    Ok(Probes {
        previous_token: array()?,
        duplicate_token: array()?,
        induction: array()?,
    })
}

/// The cells that a head of each role attends to in `sequences`, in the order of [`HeadRole::ALL`].
fn cells(sequences: &[Vec<u32>]) -> Vec<Cells> {
    let mut all = Vec::new();
    for (sequence, tokens) in sequences.iter().enumerate() {
        let half = tokens.len() / 2;
        let cell = |group, query, key| Cells {
            group,
            sequence,
            query,
            keys: vec![key],
        };
        all.extend((1..tokens.len()).map(|query| cell(0, query, query - 1)));
        all.extend((half..tokens.len()).map(|query| cell(1, query, query - half)));
        all.extend((half..tokens.len()).map(|query| cell(2, query, query - half + 1)));
    }
    all
}

/// The heads of `model` that have a role, see [`probes`]. Reports progress to `observer`.
///
/// # Errors
/// Those of [`probes`].
pub async fn head_roles(model: &mut Model, observer: &dyn Observer) -> Result<HeadRoles> {
    let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
    let tracker = ProgressTracker::new(observer, Phase::Loading, 1, layers, traffic);
    tracker.plan(SEQUENCES * 2 * TOKENS, model.bytes_to_read(&[], layers, None));
    Ok(probes(model, &tracker).await?.roles(MIN_ROLE_MEASURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_drawn_as_python_draws_them() {
        // random.seed(0); [random.randrange(50257) for _ in range(50)][:5], then the first of the second sequence.
        let all = sequences(50257, 1024);
        assert_eq!((all.len(), all[0].len()), (SEQUENCES, 2 * TOKENS));
        assert_eq!(all[0][..5], [25247, 49673, 27562, 2653, 16968]);
        assert_eq!(all[1][0], 26137);
        for tokens in &all {
            assert_eq!(tokens[..TOKENS], tokens[TOKENS..]);
        }
        assert_eq!(sequences(100, 11)[0].len(), 10);
    }

    #[test]
    fn cells_are_where_a_head_of_each_role_looks() {
        let found = cells(&[vec![4, 5, 4, 5]]);
        let cells_of_group = |group: usize| -> Vec<(usize, usize)> {
            let cells = found.iter().filter(|cells| cells.group == group);
            cells.map(|cells| (cells.query, cells.keys[0])).collect()
        };
        assert_eq!(cells_of_group(0), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(cells_of_group(1), [(2, 0), (3, 1)]);
        assert_eq!(cells_of_group(2), [(2, 1), (3, 2)]);
    }

    #[test]
    fn heads_are_named_by_what_they_do() {
        let array = |values: [f32; 4]| Array::new(vec![2, 2], values.to_vec()).expect("fits");
        let probes = Probes {
            previous_token: array([0.9, 0.1, 0.0, 0.5]),
            duplicate_token: array([0.0, 0.39, 0.2, 0.6]),
            induction: array([0.0, 0.0, 0.4, 0.0]),
        };
        assert_eq!(
            probes.roles(MIN_ROLE_MEASURE),
            [
                (Head::new(0, 0), vec![(HeadRole::PreviousToken, 0.9)]),
                (Head::new(1, 0), vec![(HeadRole::Induction, 0.4)]),
                (
                    Head::new(1, 1),
                    vec![(HeadRole::DuplicateToken, 0.6), (HeadRole::PreviousToken, 0.5)]
                ),
            ]
        );
    }
}
