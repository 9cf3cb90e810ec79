//! Passes that extend another one: appended tokens are computed, the shared beginning is reused.

use std::rc::Rc;

use super::{Continued, Pass, Request};
use crate::compute::cpu::Attention;
use crate::compute::rows::Rows;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::PrefixTree;
use crate::math;
use crate::model::Config;
use crate::names::{BlockHook, Head};

impl Pass {
    /// A pass over `tokens` that computes only what follows the common beginning with this pass's sequence. This pass
    /// must have gone through all layers and have cached them (see [`Request::keep_from`]). The new pass caches its
    /// layers, too. The last position is always computed.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where this one is not one sequence, or has not kept all its layers.
    pub fn continued(&self, config: &Config, tokens: &[u32]) -> Result<Self> {
        if !self.has_kept(config, 0) || self.tree.sequences() != 1 || self.tree.len() != self.tree.path(0).len() {
            return Err(Error::new(
                ErrorKind::Request,
                "a pass can't be continued that has not kept its layers",
            )
            .expected("one over one sequence that has gone through all of them and was asked to keep them"));
        }
        let path = self.tree.path(0).iter().map(|&row| self.tree.token(row));
        let shared = path.zip(tokens).take_while(|(old, new)| old == *new).count();
        let request = Request {
            keep_from: Some(0),
            ..Request::default()
        };
        let mut pass = Self::new(PrefixTree::new([tokens]), request);
        pass.continued = Some(Continued {
            base: Rc::clone(&self.kept),
            shared: shared.min(tokens.len().saturating_sub(1)),
        });
        Ok(pass)
    }

    /// Whether it has gone through all layers, and has cached residual streams, queries, keys and values from `layer`
    /// on.
    fn has_kept(&self, config: &Config, layer: usize) -> bool {
        self.edited.is_none() && self.kept.has(layer) && self.kept.has(config.n_layer)
    }

    /// Scores of `head` in `layer` from `row` to every position it sees, in order of position.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a row, layer or head that does not exist, and where layers were not kept.
    pub fn scores(&self, config: &Config, (layer, head): (usize, usize), row: usize) -> Result<Vec<f32>> {
        let there = layer < config.n_layer && head < config.n_head && row < self.tree.len();
        if !there || !self.has_kept(config, layer) {
            let cause = format!("there are no scores of head {layer}.{head} at row {row}");
            return Err(Error::new(ErrorKind::Request, cause)
                .expected("a row and a head of a pass that has gone through all layers and has kept them"));
        }
        let rows = Rows {
            range: row..row + 1,
            parents: self.tree.parents(),
        };
        let attention = Attention {
            config,
            layer,
            rows: &rows,
            qkv: self.kept.qkv(layer),
            edits: &[],
        };
        Ok(attention.scores_by_position(row, head))
    }

    /// Values of all heads in `layer` at `row`, `[d_model]`; empty for a row or layer that does not exist or is not
    /// cached.
    pub fn values(&self, config: &Config, layer: usize, row: usize) -> &[f32] {
        let d = config.d_model;
        let there = self.has_kept(config, layer) && layer < config.n_layer;
        let qkv = if there { self.kept.qkv(layer) } else { &[] };
        qkv.get((3 * row + 2) * d..(3 * row + 3) * d).unwrap_or_default()
    }

    /// The residual stream before `layer` (`n_layer`: after the last layer) at `row`, `[d_model]`; empty for a row or
    /// layer that does not exist or is not cached.
    pub fn resid_pre(&self, config: &Config, layer: usize, row: usize) -> &[f32] {
        if self.has_kept(config, layer) && layer <= config.n_layer {
            self.kept.resid_pre(layer, row, config)
        } else {
            &[]
        }
    }

    /// The activation `hook` of `head` at `row`: query, key, value, scores, probabilities or `z`. Empty for other
    /// hooks, and for what does not exist or is not cached.
    pub(crate) fn of_head(&self, config: &Config, head: Head, hook: BlockHook, row: usize) -> Vec<f32> {
        let Head { layer, head: number } = head;
        let part = |which: usize, row: usize| {
            let (d, d_head) = (config.d_model, config.d_head());
            let start = (3 * row + which) * d + number * d_head;
            let there = self.has_kept(config, layer) && number < config.n_head;
            let qkv = if there { self.kept.qkv(layer) } else { &[] };
            qkv.get(start..start + d_head).unwrap_or_default()
        };
        let scores = || self.scores(config, (layer, number), row).unwrap_or_default();
        let pattern = || {
            let mut row = scores();
            math::softmax(&mut row);
            row
        };
        match hook {
            BlockHook::Q => part(0, row).to_vec(),
            BlockHook::K => part(1, row).to_vec(),
            BlockHook::V => part(2, row).to_vec(),
            BlockHook::AttnScores => scores(),
            BlockHook::Pattern => pattern(),
            BlockHook::Z => {
                let mut z = vec![0.0; config.d_head()];
                let mut next = Some(row);
                for probability in pattern().into_iter().rev() {
                    let Some(row) = next else { break };
                    math::add_scaled(&mut z, probability, part(2, row));
                    next = self.tree.parents()[row];
                }
                z
            }
            _ => Vec::new(),
        }
    }

    /// Number of rows that other passes compute: the pass that it continues, or passes that share rows with it.
    pub(super) fn shared(&self) -> usize {
        let continued = self.continued.as_ref().map(|continued| continued.shared);
        continued.unwrap_or_else(|| self.borrowed())
    }

    /// What enters `layer` at all rows: those that are known, those that are `given`, from row `first` on, and as they are now the others.
    pub(super) fn resid_to_keep(&self, layer: usize, (first, given): (usize, &[f32]), config: &Config) -> Vec<f32> {
        let mut resid = self.resid.clone();
        resid[first * config.d_model..][..given.len()].copy_from_slice(given);
        if let Some(Continued { base, shared }) = &self.continued {
            for (row, known) in resid.chunks_exact_mut(config.d_model).take(*shared).enumerate() {
                known.copy_from_slice(base.resid_pre(layer, row, config));
            }
        }
        resid
    }
}
