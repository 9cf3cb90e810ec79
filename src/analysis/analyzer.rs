//! The interface of an analysis: it declares what it needs, is fed every batch, and returns one section of the result.

use std::cell::OnceCell;

use futures::future::LocalBoxFuture;

use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::scores::HeadScores;
use crate::analysis::{Analysis, BatchValues, SectionType};
use crate::error::Result;
use crate::forward::{Captured, HeadWeights, Model, Monitor, Pass, PrefixTree, Tap};
use crate::model::Config;
use crate::prompts::Prompt;

/// One analysis, which finds one kind of section.
///
/// All analyses of a run share one pass over one set of prompts, up to the destination. A new analysis is a folder with
/// an implementation of this trait and of its section's type, and a line in the list of `analysis/mod.rs`.
pub(crate) trait Analyzer: Sized {
    /// The section that it finds.
    type Section: SectionType;

    /// Creates the analyzer for a run of `analysis`. Nothing has been read yet.
    fn new(analysis: &Analysis) -> Self;

    /// Number of blocks that the passes have to go through, if more than those before the head's layer.
    fn layers(&self, _config: &Config) -> usize {
        0
    }

    /// What it needs from the model for `prompt`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a prompt that it can't do anything with.
    fn needs(&self, _prompt: &Prompt) -> Result<Needs> {
        Ok(Needs::default())
    }

    /// The taps to add to a batch's pass. The captured activations are in [`FinishedBatch::captured`].
    ///
    /// # Errors
    /// Any; it ends the run.
    fn taps(&mut self, _batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        Ok(Vec::new())
    }

    /// Processes a finished batch, and returns values that can be shown at once. Batches that go through the model
    /// together may finish in any order.
    ///
    /// # Errors
    /// Any; it ends the run.
    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>>;

    /// Called once after the last batch: for everything that needs all of W_U, which is then streamed once for all
    /// prompts.
    ///
    /// # Errors
    /// Any; it ends the run.
    async fn conclude(&mut self, _model: &mut Model, _monitor: &dyn Monitor) -> Result<()> {
        Ok(())
    }

    /// The section, from all batches; None where there is nothing to report.
    fn finish(self) -> Option<Self::Section>;
}

/// What an analysis needs from the model for one prompt.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Tokens whose rows of W_E or columns of W_U it needs, besides those of the prompt up to the destination.
    pub(crate) tokens: Vec<u32>,
    /// Tokens of the prompt whose effective embeddings it needs.
    pub(crate) effective: Vec<u32>,
}

/// A batch before its pass. The embeddings of its tokens have been read.
pub(crate) struct UpcomingBatch<'a> {
    /// The number.
    pub(crate) index: usize,
    pub(crate) prompts: &'a [Prompt],
    /// The prompts' positions up to the destination.
    pub(crate) tree: &'a PrefixTree,
    pub(crate) model: &'a Model,
    /// Query and key weights of the destination head.
    pub(crate) weights: &'a HeadWeights,
}

/// A batch whose pass is finished, with the data shared by all analyses.
pub(crate) struct FinishedBatch<'a> {
    /// The number.
    pub(crate) index: usize,
    pub(crate) prompts: &'a [Prompt],
    pub(crate) model: &'a Model,
    /// Effective embeddings of all tokens that any analysis needs.
    pub(crate) effective: &'a EffectiveEmbeddings,
    /// What this analysis's taps have captured, in their order.
    pub(crate) captured: &'a [Captured],
    /// Data shared by all analyses.
    pub(crate) shared: &'a Shared<'a>,
}

impl<'a> FinishedBatch<'a> {
    /// Queries, keys and scores of the destination head. Computed on first use.
    pub(crate) fn scores(&self) -> Result<&'a HeadScores<'a>> {
        let shared = self.shared;
        if let Some(scores) = shared.scores.get() {
            return Ok(scores);
        }
        let scores = HeadScores::new(shared.weights, shared.tree, shared.resid, self.prompts.len())?;
        Ok(shared.scores.get_or_init(|| scores))
    }

    /// The residual stream after all blocks of the pass, at the destination of prompt number `prompt`, `[d_model]`.
    pub(crate) fn last_resid(&self, prompt: usize) -> &'a [f32] {
        let Shared { tree, last, .. } = *self.shared;
        let d_model = last.len() / tree.len().max(1);
        let row = tree.path(prompt).last().copied().unwrap_or_default();
        last.get(row * d_model..(row + 1) * d_model).unwrap_or_default()
    }
}

/// Data of a batch that is computed once for all analyses.
pub(crate) struct Shared<'a> {
    weights: &'a HeadWeights,
    tree: &'a PrefixTree,
    /// `resid_pre` of the head's layer, `[rows, d_model]`.
    resid: &'a [f32],
    /// The residual stream after all blocks of the pass, `[rows, d_model]`.
    last: &'a [f32],
    scores: OnceCell<HeadScores<'a>>,
}

impl<'a> Shared<'a> {
    /// `resid [rows, d_model]` is the input of the layer of the head whose weights are `weights`.
    pub(crate) fn new(weights: &'a HeadWeights, pass: &'a Pass, resid: &'a [f32]) -> Self {
        Self {
            weights,
            tree: &pass.tree,
            resid,
            last: &pass.resid,
            scores: OnceCell::new(),
        }
    }
}

/// An [`Analyzer`] as a trait object, whose section is one of the kinds `S`.
pub(crate) trait AnyAnalyzer<S> {
    /// As [`Analyzer::layers`].
    fn layers(&self, config: &Config) -> usize;

    /// As [`Analyzer::needs`].
    fn needs(&self, prompt: &Prompt) -> Result<Needs>;

    /// As [`Analyzer::taps`].
    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>>;

    /// As [`Analyzer::feed`].
    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>>;

    /// As [`Analyzer::conclude`].
    fn conclude<'a>(&'a mut self, model: &'a mut Model, monitor: &'a dyn Monitor) -> LocalBoxFuture<'a, Result<()>>;

    /// As [`Analyzer::finish`].
    fn finish(self: Box<Self>) -> Option<S>;
}

impl<A: Analyzer, S: From<A::Section>> AnyAnalyzer<S> for A {
    fn layers(&self, config: &Config) -> usize {
        Analyzer::layers(self, config)
    }

    fn needs(&self, prompt: &Prompt) -> Result<Needs> {
        Analyzer::needs(self, prompt)
    }

    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        Analyzer::taps(self, batch)
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        Analyzer::feed(self, batch)
    }

    fn conclude<'a>(&'a mut self, model: &'a mut Model, monitor: &'a dyn Monitor) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(Analyzer::conclude(self, model, monitor))
    }

    fn finish(self: Box<Self>) -> Option<S> {
        Analyzer::finish(*self).map(S::from)
    }
}
