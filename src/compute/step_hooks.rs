//! Applies edits and passes activations to taps, given their values: shared by all engines.

use std::ops::Range;

use super::block::AttentionInput;
use super::engine::Step;
use super::rows::{Edit, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::names::BlockHook;

/// The hooks of queries, keys and values with those of their inputs, in the order of c_attn.
pub(super) const QKV: [(BlockHook, BlockHook); 3] = [
    (BlockHook::QInput, BlockHook::Q),
    (BlockHook::KInput, BlockHook::K),
    (BlockHook::VInput, BlockHook::V),
];

/// The hooks of some rows in one block.
#[derive(Clone, Copy)]
pub(super) struct StepHooks<'a> {
    pub(super) step: &'a Step<'a>,
    pub(super) range: &'a Range<usize>,
}

impl StepHooks<'_> {
    /// The edits at `hook` of its rows.
    pub(super) fn edits_of(&self, hook: BlockHook) -> impl Iterator<Item = &Edit> {
        let (edits, range) = (self.step.edits.iter(), self.range);
        edits.filter(move |edit| edit.hook == hook && range.contains(&edit.row))
    }

    /// Index, counted from the first row, at which the value of `edit` begins in rows of `width` numbers.
    pub(super) fn place(&self, edit: &Edit, width: usize) -> usize {
        let of_head = edit.head.map_or(0, |head| head * self.step.config.d_head());
        (edit.row - self.range.start) * width + of_head
    }

    /// Applies the edits at `hook` to `values [rows, width]`; those of a head to its part.
    pub(super) fn edit(&self, hook: BlockHook, values: &mut [f32], width: usize) {
        for edit in self.edits_of(hook) {
            values[self.place(edit, width)..][..edit.value.len()].copy_from_slice(&edit.value);
        }
    }

    /// Passes the requested rows of `values [rows, width]` to the taps.
    pub(super) fn give(&self, taps: &mut dyn Taps, hook: BlockHook, values: &[f32], width: usize) -> Result<()> {
        let wanted = taps.wanted(hook, self.range);
        if wanted.is_empty() {
            return Ok(());
        }
        let row = |row: &usize| &values[(row - self.range.start) * width..][..width];
        let given: Vec<f32> = wanted.iter().flat_map(row).copied().collect();
        taps.give(hook, &wanted, &given)
    }

    /// Passes `values` to the taps; each row has `stride` numbers, beginning with the heads, `d_head` each.
    pub(super) fn give_of_heads(
        &self,
        taps: &mut dyn Taps,
        hook: BlockHook,
        values: &[f32],
        stride: usize,
    ) -> Result<()> {
        let wanted = taps.wanted(hook, self.range);
        if wanted.is_empty() {
            return Ok(());
        }
        let (heads, d_head) = (taps.heads(hook), self.step.config.d_head());
        let mut given = Vec::with_capacity(wanted.len() * heads.len() * d_head);
        for row in &wanted {
            for head in &heads {
                given.extend_from_slice(&values[(row - self.range.start) * stride + head * d_head..][..d_head]);
            }
        }
        taps.give(hook, &wanted, &given)
    }

    /// Passes the inputs of heads' queries, keys or values to the taps: the residual stream, or the value of an edit.
    pub(super) fn give_inputs(&self, taps: &mut dyn Taps, hook: BlockHook, resid: &[f32]) -> Result<()> {
        let wanted = taps.wanted(hook, self.range);
        if wanted.is_empty() {
            return Ok(());
        }
        let (heads, d) = (taps.heads(hook), self.step.config.d_model);
        let mut given = Vec::with_capacity(wanted.len() * heads.len() * d);
        for &row in &wanted {
            for &head in &heads {
                let edit = self.edits_of(hook).filter(|edit| edit.row == row);
                let edited = edit.filter(|edit| edit.head == Some(head)).last();
                let made_from = edited.map_or(&resid[(row - self.range.start) * d..][..d], |edit| &edit.value);
                given.extend_from_slice(made_from);
            }
        }
        taps.give(hook, &wanted, &given)
    }
}

/// The columns of c_attn for the head of `edit` (`part`: 0 queries, 1 keys, 2 values).
pub(super) fn columns_of(config: &Config, part: usize, edit: &Edit) -> Range<usize> {
    let start = part * config.d_model + edit.head.unwrap_or_default() * config.d_head();
    start..start + config.d_head()
}

/// Query, key or value of one head for `x [d_model]` before LayerNorm, with `weight`, the `columns` of c_attn.
pub(super) fn project(input: &AttentionInput, weight: &[f32], columns: Range<usize>, x: &[f32]) -> Vec<f32> {
    let normalized = input.ln_1.forward(x, x.len());
    let width = columns.len();
    let mut total: Vec<f64> = input.b_qkv[columns].iter().map(|&b| f64::from(b)).collect();
    for (row, &v) in weight.chunks_exact(width).zip(&normalized) {
        for (total, &w) in total.iter_mut().zip(row) {
            *total += f64::from(v) * f64::from(w);
        }
    }
    total.into_iter().map(|total| total as f32).collect()
}
