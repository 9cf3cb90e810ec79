//! A pass through several blocks at a time, with an engine that gains from that.

use std::ops::Range;
use std::rc::Rc;

use super::{Continued, Pass};
use crate::compute::engine::{Block, Several, Stage};
use crate::compute::rows::Rows;
use crate::error::Result;
use crate::forward::tap::AllTaps;
use crate::model::Config;

impl Pass {
    /// The rows that the next block can be gone through with and others after it, all of them at once; None where rows begin at different
    /// layers, and where some have gone on.
    pub(in crate::forward) fn rows_at_once(&self) -> Option<Range<usize>> {
        let rows = self.rows_of(self.progress.layers);
        (self.edited.is_none() && self.progress.row == rows.start && !rows.is_empty()).then_some(rows)
    }

    /// Takes `rows` through some of the `blocks` that come next, of `layers`; says through how many.
    pub(in crate::forward) async fn through(
        &mut self,
        engine: &dyn Several,
        (blocks, rows): (&[&(dyn Block + 'static)], Range<usize>),
        config: &Config,
        layers: usize,
    ) -> Result<usize> {
        let first = self.progress.layers;
        let stage = |(layer, block)| Stage {
            block,
            layer,
            known: self.known_rows(layer, config),
            resid: self.keeps(layer),
            qkv_of: match (&self.common, self.keeps(layer)) {
                (_, true) => rows.clone().collect(),
                (Some(common), false) => common.lent(),
                (None, false) => Vec::new(),
            },
        };
        let stages: Vec<Stage<'_>> = (first..).zip(blocks.iter().copied()).map(stage).collect();
        let of_tree = Rows {
            range: rows.clone(),
            parents: self.tree.parents(),
        };
        let mut taps = AllTaps {
            config,
            taps: &self.request.taps,
            captured: &mut self.captured,
        };
        let passed = engine.through(config, &stages, &of_tree, &mut self.resid, &mut taps);
        let passed = passed.await?;
        let known: Vec<Vec<f32>> = stages.into_iter().map(|stage| stage.known).collect();
        let count = passed.len();
        for ((layer, passed), known) in (first..).zip(passed).zip(known) {
            let keeps = self.keeps(layer);
            if let Some(common) = &self.common {
                if keeps {
                    common.lend_qkv_of_all(layer, config.d_model, (rows.start, &passed.qkv));
                } else {
                    common.lend_qkv(layer, config.d_model, &passed.qkv)
                }
            }
            if keeps {
                let resid = self.resid_to_keep(layer, (rows.start, &passed.resid), config);
                let kept = Rc::make_mut(&mut self.kept);
                kept.keep_resid(layer, resid);
                kept.keep_qkv(layer, [known, passed.qkv].concat());
            }
            self.end_layer(config, layers)?;
        }
        Ok(count)
    }

    /// Queries, keys and values in block `layer` of the rows before those that are computed, as far as they are known.
    pub(super) fn known_rows(&self, layer: usize, config: &Config) -> Vec<f32> {
        let mut known = Vec::new();
        if let Some(edited) = &self.edited {
            known.extend_from_slice(edited.base.qkv(layer));
        } else if let Some(Continued { base, shared }) = &self.continued {
            known.extend(base.qkv(layer).iter().take(shared * 3 * config.d_model));
        } else if let Some(common) = &self.common {
            common.borrow_qkv(layer, config.d_model, &mut known);
        }
        known
    }
}
