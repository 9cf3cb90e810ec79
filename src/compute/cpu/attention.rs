//! Attention over a prefix tree: each row attends to itself and its ancestors.

use crate::compute::rows::{Edit, Rows, Taps};
use crate::error::Result;
use crate::math;
use crate::model::Config;
use crate::names::BlockHook;

/// Attention of `rows`; `qkv [rows, 3 * d_model]` has queries, keys and values of these rows and their ancestors.
pub(crate) struct Attention<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layer: usize,
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) qkv: &'a [f32],
    /// Edits of this layer.
    pub(crate) edits: &'a [Edit],
}

impl Attention<'_> {
    /// `z [rows, d_model]` of all heads.
    ///
    /// A plain loop: rows attend to different numbers of rows, and attention is less than 1 % of the arithmetic.
    pub(crate) fn z(&self, taps: &mut dyn Taps) -> Result<Vec<f32>> {
        let mut z = vec![0.0; self.rows.range.len() * self.config.d_model];
        self.compute(&mut z, taps, |_| true)?;
        Ok(z)
    }

    /// Recomputes `z [rows, d_model]` of the rows whose scores or pattern are tapped or edited. The rest of `z` is
    /// known.
    pub(crate) fn watch(&self, z: &mut [f32], taps: &mut dyn Taps) -> Result<()> {
        self.compute(z, taps, |watched| watched)
    }

    /// Computes the rows selected by `which`, which is called with whether taps or edits concern them.
    fn compute(&self, z: &mut [f32], taps: &mut dyn Taps, which: impl Fn(bool) -> bool) -> Result<()> {
        let (d, d_head) = (self.config.d_model, self.config.d_head());
        let mut attended = Vec::new();
        let mut pattern = Vec::new();
        for (z, row) in z.chunks_exact_mut(d).zip(self.rows.range.clone()) {
            let watched = self.watched(row, taps);
            if !which(watched) {
                continue;
            }
            z.fill(0.0);
            self.rows.attended(row, &mut attended);
            let mut seen = Seen::default();
            for (head, z) in z.chunks_exact_mut(d_head).enumerate() {
                self.scores(row, head, &attended, &mut pattern);
                if watched {
                    self.edit(BlockHook::AttnScores, row, head, &mut pattern);
                    seen.scores.extend(pattern.iter().rev());
                }
                math::softmax(&mut pattern);
                if watched {
                    self.edit(BlockHook::Pattern, row, head, &mut pattern);
                    seen.pattern.extend(pattern.iter().rev());
                }
                for (&probability, &value) in pattern.iter().zip(&attended) {
                    math::add_scaled(z, probability, self.part(value, 2, head));
                }
            }
            if watched {
                seen.give(row, attended.len(), taps)?;
            }
        }
        Ok(())
    }

    /// Scores of `row` in `head`, by position.
    pub(crate) fn scores_by_position(&self, row: usize, head: usize) -> Vec<f32> {
        let (mut attended, mut scores) = (Vec::new(), Vec::new());
        self.rows.attended(row, &mut attended);
        self.scores(row, head, &attended, &mut scores);
        scores.reverse();
        scores
    }

    /// Writes the scores of `row` in `head` for the rows `attended`, nearest first, to `scores`.
    fn scores(&self, row: usize, head: usize, attended: &[usize], scores: &mut Vec<f32>) {
        let query = self.part(row, 0, head);
        let factor = 1.0 / self.config.score_divisor(self.layer) as f32;
        scores.clear();
        scores.extend(
            attended
                .iter()
                .map(|&key| math::dot_f32(query, self.part(key, 1, head)) * factor),
        );
    }

    /// Query (0), key (1) or value (2) of `row` in `head`, `[d_head]`.
    fn part(&self, row: usize, which: usize, head: usize) -> &[f32] {
        let (d, d_head) = (self.config.d_model, self.config.d_head());
        &self.qkv[(3 * row + which) * d + head * d_head..][..d_head]
    }

    /// Whether scores or probabilities of `row` are tapped or edited.
    fn watched(&self, row: usize, taps: &dyn Taps) -> bool {
        let hooks = [BlockHook::AttnScores, BlockHook::Pattern];
        hooks.iter().any(|&hook| !taps.wanted(hook, &(row..row + 1)).is_empty())
            || self
                .edits
                .iter()
                .any(|edit| edit.row == row && hooks.contains(&edit.hook))
    }

    /// Applies an edit of `row` and `head` to `values`, which are nearest first (the edit is by source position).
    fn edit(&self, hook: BlockHook, row: usize, head: usize, values: &mut [f32]) {
        let edits = self.edits.iter();
        for edit in edits.filter(|edit| edit.hook == hook && edit.row == row && edit.head == Some(head)) {
            for (value, new) in values.iter_mut().rev().zip(&edit.value) {
                *value = *new;
            }
        }
    }
}

/// Scores and probabilities of a row by source position, `[head, src]`.
#[derive(Default)]
struct Seen {
    scores: Vec<f32>,
    pattern: Vec<f32>,
}

impl Seen {
    fn give(&self, row: usize, sources: usize, taps: &mut dyn Taps) -> Result<()> {
        for (hook, values) in [
            (BlockHook::AttnScores, &self.scores),
            (BlockHook::Pattern, &self.pattern),
        ] {
            if taps.wanted(hook, &(row..row + 1)).is_empty() {
                continue;
            }
            let heads = taps.heads(hook);
            let of_heads: Vec<f32> = heads
                .iter()
                .flat_map(|head| &values[head * sources..][..sources])
                .copied()
                .collect();
            taps.give(hook, &[row], &of_heads)?;
        }
        Ok(())
    }
}
