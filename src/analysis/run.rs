//! The analyses of one run: combines their needs, and feeds each of them.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::analysis::Analysis;
use crate::analysis::analyzer::{AnyAnalyzer, FinishedBatch, Needs, Shared, UpcomingBatch};
use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::tree::up_to_dest;
use crate::error::Result;
use crate::forward::{HeadWeights, Model, Pass, Tap};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};
use crate::prompts::Prompt;

/// The analyses of one run, whose sections are of kinds `S`.
pub(crate) struct Run<S> {
    members: Vec<Member<S>>,
    /// The destination head's layer.
    head_layer: usize,
    /// Number of blocks that all passes go through.
    layers: usize,
}

/// One of the analyses.
struct Member<S> {
    analyzer: Box<dyn AnyAnalyzer<S>>,
    /// For every batch, the range of its taps in the pass.
    taps: Vec<Range<usize>>,
}

impl<S> Run<S> {
    /// For `analyzers` and a model of `config`.
    pub(crate) fn new(analyzers: Vec<Box<dyn AnyAnalyzer<S>>>, analysis: &Analysis, config: &Config) -> Self {
        let head_layer = analysis.head.layer;
        let most = analyzers.iter().map(|analyzer| analyzer.layers(config)).max();
        let member = |analyzer| Member {
            analyzer,
            taps: Vec::new(),
        };
        Self {
            members: analyzers.into_iter().map(member).collect(),
            head_layer,
            layers: most.unwrap_or(0).max(head_layer).min(config.n_layer),
        }
    }

    /// How many blocks the passes go through.
    pub(crate) fn layers(&self) -> usize {
        self.layers
    }

    /// One pass per batch, without taps, with shared prefixes; and the tokens whose effective embeddings are needed.
    pub(crate) fn passes(&self, model: &Model, batches: &[Vec<Prompt>]) -> Result<(Vec<Pass>, BTreeSet<u32>)> {
        let sequences = batches.iter().map(|prompts| up_to_dest(model, prompts));
        let mut passes = Pass::sharing(&sequences.collect::<Result<Vec<_>>>()?);
        let mut all_effective = BTreeSet::new();
        for (pass, prompts) in passes.iter_mut().zip(batches) {
            let request = &mut pass.request;
            for prompt in prompts {
                for Member { analyzer, .. } in &self.members {
                    let Needs { tokens, effective } = analyzer.needs(prompt)?;
                    request.other_tokens.extend(tokens);
                    request.other_tokens.extend(&effective);
                    all_effective.extend(effective);
                }
            }
        }
        Ok((passes, all_effective))
    }

    /// Adds the taps of all analyses to `passes`, which have not begun, and which [`relay`](crate::forward::relay) is to be called for.
    pub(crate) fn ask(
        &mut self,
        model: &Model,
        weights: &HeadWeights,
        passes: &mut [Pass],
        batches: &[Vec<Prompt>],
    ) -> Result<()> {
        for (index, (pass, prompts)) in passes.iter_mut().zip(batches).enumerate() {
            if self.layers > self.head_layer {
                let resid_pre = HookPoint::block(self.head_layer, BlockHook::ResidPre);
                let rows = (0..pass.tree.len()).collect();
                pass.request.taps.push(Tap::new(resid_pre, rows));
            }
            let batch = UpcomingBatch {
                index,
                prompts,
                tree: &pass.tree,
                model,
                weights,
            };
            for Member { analyzer, taps } in &mut self.members {
                let first = pass.request.taps.len();
                pass.request.taps.extend(analyzer.taps(&batch)?);
                taps.push(first..pass.request.taps.len());
            }
        }
        Ok(())
    }

    /// Feeds batch `index`, whose pass is finished, to all analyses, and reports its values to `tracker`.
    pub(crate) fn feed(
        &mut self,
        (model, weights, effective): (&Model, &HeadWeights, &EffectiveEmbeddings),
        (index, prompts, pass): (usize, &[Prompt], &Pass),
        tracker: &ProgressTracker<'_>,
    ) -> Result<()> {
        // If the pass goes on after the head's layer, the layer's input has been captured.
        let resid = if self.layers > self.head_layer {
            pass.captured
                .first()
                .map_or(&[][..], |captured| captured.values.as_slice())
        } else {
            &pass.resid
        };
        let shared = Shared::new(weights, pass, resid);
        let mut shown = Vec::with_capacity(self.members.len());
        for Member { analyzer, taps } in &mut self.members {
            let batch = FinishedBatch {
                index,
                prompts,
                model,
                effective,
                captured: &pass.captured[taps[index].clone()],
                shared: &shared,
            };
            shown.extend(analyzer.feed(&batch)?);
        }
        let positions = if pass.progress.first < self.layers {
            pass.computed_rows()
        } else {
            0
        };
        tracker.finished_batch(index, positions, &shown);
        Ok(())
    }

    /// Runs the final step of all analyses, after the last batch.
    pub(crate) async fn conclude(&mut self, model: &mut Model, tracker: &ProgressTracker<'_>) -> Result<()> {
        for Member { analyzer, .. } in &mut self.members {
            analyzer.conclude(model, tracker).await?;
        }
        Ok(())
    }

    /// The sections, in the order of the analyses.
    pub(crate) fn finish(self) -> Vec<S> {
        let members = self.members.into_iter();
        members.filter_map(|member| member.analyzer.finish()).collect()
    }
}
