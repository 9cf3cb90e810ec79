//! The input of a block: rows, edits, and taps.

use std::ops::Range;

use crate::error::Result;
use crate::names::BlockHook;

/// Consecutive rows of a prefix tree, all of whose ancestors come before them.
pub(crate) struct Rows<'a> {
    pub(crate) range: Range<usize>,
    /// For every row of the tree the row of the preceding position, None at position 0.
    pub(crate) parents: &'a [Option<usize>],
}

impl Rows<'_> {
    /// Writes the rows that `row` attends to into `attended`: itself, then its ancestors, nearest first.
    pub(crate) fn attended(&self, row: usize, attended: &mut Vec<usize>) {
        attended.clear();
        let mut next = Some(row);
        while let Some(row) = next {
            attended.push(row);
            next = self.parents[row];
        }
    }
}

/// Replaces an activation of one row, of one head where the hook belongs to heads.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) hook: BlockHook,
    pub(crate) head: Option<usize>,
    pub(crate) row: usize,
    /// As wide as the activation.
    pub(crate) value: Vec<f32>,
}

/// Receives the captured activations of one block.
pub(crate) trait Taps {
    /// Those of `rows` that are requested at `hook`, ascending.
    fn wanted(&self, hook: BlockHook, rows: &Range<usize>) -> Vec<usize>;

    /// The heads that are requested at `hook`, ascending.
    fn heads(&self, hook: BlockHook) -> Vec<usize>;

    /// Receives the values of the [`Taps::wanted`] rows, `[rows, ..]`; for hooks of heads `[rows, heads, ..]` of
    /// [`Taps::heads`].
    fn give(&mut self, hook: BlockHook, rows: &[usize], values: &[f32]) -> Result<()>;
}

/// Takes what is captured in several blocks.
pub(crate) trait LayersTaps {
    /// What takes it in block `layer`.
    fn of_layer(&mut self, layer: usize) -> Box<dyn Taps + '_>;
}

/// Requests nothing.
#[cfg(feature = "gpu")]
pub(crate) struct NoTaps;

#[cfg(feature = "gpu")]
impl Taps for NoTaps {
    fn wanted(&self, _hook: BlockHook, _rows: &Range<usize>) -> Vec<usize> {
        Vec::new()
    }

    fn heads(&self, _hook: BlockHook) -> Vec<usize> {
        Vec::new()
    }

    fn give(&mut self, _hook: BlockHook, _rows: &[usize], _values: &[f32]) -> Result<()> {
        Ok(())
    }
}
