//! What goes through a block: rows, what is put in place of activations, and who takes what is captured.

use std::ops::Range;

use crate::error::Result;
use crate::names::BlockHook;

/// Consecutive rows of a prefix tree, all of whose ancestors come before them.
pub(crate) struct Rows<'a> {
    pub(crate) range: Range<usize>,
    /// The row of the position before, None at position 0, for every row of the tree.
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

/// A vector that is put in place of an activation of one row, of one head where the hook is a head's.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) hook: BlockHook,
    pub(crate) head: Option<usize>,
    pub(crate) row: usize,
    /// As wide as the activation.
    pub(crate) value: Vec<f32>,
}

/// Takes what is captured in one block.
pub(crate) trait Taps {
    /// Which of `rows` are asked for at `hook`, ascending.
    fn wanted(&self, hook: BlockHook, rows: &Range<usize>) -> Vec<usize>;

    /// Which heads are asked for at `hook`, ascending.
    fn heads(&self, hook: BlockHook) -> Vec<usize>;

    /// Takes the values of the [`Taps::wanted`] rows, `[rows, ..]`; of hooks of heads `[rows, heads, ..]` for
    /// [`Taps::heads`].
    fn give(&mut self, hook: BlockHook, rows: &[usize], values: &[f32]) -> Result<()>;
}

/// Takes nothing.
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
