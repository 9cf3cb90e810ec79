//! The attention patterns of all heads of a layer, for display side by side.

use serde::{Deserialize, Serialize};

use crate::analysis::Array;
use crate::error::Result;

/// Limit of the rows of a pattern: small multiples are no larger on a screen, and patterns of 1,024 tokens would take
/// 25 MB for a layer of GPT-2 small.
pub const LAYER_ROWS: usize = 128;

/// The attention patterns of all heads of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerSection {
    /// The layer.
    pub layer: usize,
    /// Number of consecutive positions that are combined into one row and column: 1 for up to [`LAYER_ROWS`] tokens.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub block: usize,
    /// Probabilities of every head, `[head, rows * (rows + 1) / 2]`: row after row, 1 number for row 0, 2 for row 1,
    /// ... For blocks of positions, the largest probability of the block.
    pub patterns: Array,
}

const fn one() -> usize {
    1
}

// The signature that serde requires.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_one(block: &usize) -> bool {
    *block == 1
}

/// Number of positions of `count` that are combined into one row.
fn block_of(count: usize) -> usize {
    count.div_ceil(LAYER_ROWS).max(1)
}

/// The pattern of a head over `count` positions in the form of a [`LayerSection`]. `row` returns the probabilities from
/// a position, `[position + 1]`.
///
/// # Errors
/// Those of `row`.
pub(crate) fn small_pattern(count: usize, mut row: impl FnMut(usize) -> Result<Vec<f32>>) -> Result<Vec<f32>> {
    let block = block_of(count);
    let rows = count.div_ceil(block);
    let mut found = vec![0.0_f32; rows * (rows + 1) / 2];
    for position in 0..count {
        let of_block = position / block;
        let cells = &mut found[of_block * (of_block + 1) / 2..][..=of_block];
        for (cell, shares) in cells.iter_mut().zip(row(position)?.chunks(block)) {
            *cell = shares.iter().copied().fold(*cell, f32::max);
        }
    }
    Ok(found)
}

impl LayerSection {
    /// From the `patterns` of all heads of `layer` over `count` positions, as [`small_pattern`] returns them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] where they are not of `count` positions.
    pub(crate) fn new(layer: usize, count: usize, patterns: &[Vec<f32>]) -> Result<Self> {
        let rows = count.div_ceil(block_of(count));
        Ok(Self {
            layer,
            block: block_of(count),
            patterns: Array::new(vec![patterns.len(), rows * (rows + 1) / 2], patterns.concat())?,
        })
    }

    /// Number of rows of each pattern.
    pub fn rows(&self) -> usize {
        let cells = self.patterns.shape().last().copied().unwrap_or_default();
        rows_of(cells).unwrap_or_default()
    }

    /// Whether the patterns have complete rows.
    pub(super) fn has_whole_rows(&self) -> bool {
        let cells = self.patterns.shape().last().copied().unwrap_or_default();
        self.block > 0 && rows_of(cells).is_some_and(|rows| rows > 0)
    }

    /// The pattern of head number `head` of the layer, row after row; empty where it does not exist.
    pub fn pattern(&self, head: usize) -> &[f32] {
        let cells = self.patterns.shape().last().copied().unwrap_or_default();
        let mut patterns = self.patterns.data().chunks_exact(cells.max(1));
        patterns.nth(head).unwrap_or_default()
    }
}

/// The number of rows of a triangle of `cells` cells; None where they do not form a triangle.
fn rows_of(cells: usize) -> Option<usize> {
    let rows = (2.0 * cells as f64).sqrt().floor() as usize;
    (rows.checked_mul(rows + 1)? / 2 == cells).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_positions_a_block_has_the_largest() {
        // From position i, 99 % of the attention goes to position i - i % 3.
        let row = |position: usize| {
            let mut row = vec![0.01; position + 1];
            row[position - position % 3] = 0.99;
            Ok(row)
        };
        assert_eq!(
            small_pattern(3, row).expect("rows"),
            [0.99, 0.99, 0.01, 0.99, 0.01, 0.01]
        );
        let count = 2 * LAYER_ROWS + 1;
        let found = small_pattern(count, row).expect("rows");
        let rows = count.div_ceil(3);
        assert_eq!(found.len(), rows * (rows + 1) / 2);
        for of_query in 0..rows {
            for of_key in 0..=of_query {
                let expected = if of_key == of_query { 0.99 } else { 0.01 };
                let cell = found[of_query * (of_query + 1) / 2 + of_key];
                assert!((cell - expected).abs() < 1e-6, "{of_query} {of_key}");
            }
        }
        let section = LayerSection::new(1, count, &[found.clone(), found.clone()]).expect("two heads");
        assert_eq!(
            (section.block, section.rows(), section.pattern(1)),
            (3, rows, &found[..])
        );
        assert!(section.pattern(2).is_empty());
    }

    #[test]
    fn a_triangle_has_whole_rows() {
        for rows in 0..2_000 {
            assert_eq!(rows_of(rows * (rows + 1) / 2), Some(rows));
        }
        assert_eq!([2, 4, 5, 7, 11].map(rows_of), [None; 5]);
    }
}
