//! The batches of a run during an intervention, with the vectors to insert or remove in each prompt.

use std::collections::BTreeSet;
use std::ops::Range;

use super::intervention::Extent;
use super::means::{MeanPositions, Means};
use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::pair::{Between, Pair};
use crate::analysis::scores::HeadScores;
use crate::analysis::substitution::{AtPrompt, Drawn, tokens_of, vector_of};
use crate::analysis::tree::tree_to_dest;
use crate::analysis::{RunIntervention, RunVector};
use crate::error::{Error, Result};
use crate::forward::{Model, Monitor, Pass, Request, Tap};
use crate::model::Config;
use crate::names::{BlockHook, Component, Head, HookPoint, Normalization, SeriesId, Side};
use crate::prompts::Prompt;

/// Limit of the bytes of cached layers where blocks do not all fit in memory; determines how many batches go through
/// the model together.
const KEPT_BUDGET: usize = 256 << 20;

/// An intervention in the prompts of a run.
#[derive(Clone, Copy)]
pub(crate) struct OverRun<'a> {
    /// The head whose attention is measured.
    pub(crate) head: Head,
    pub(crate) intervention: &'a RunIntervention,
    /// How substituted vectors are normalized.
    pub(crate) normalization: Normalization,
    pub(crate) batches: &'a [Vec<Prompt>],
}

impl OverRun<'_> {
    /// Checks that the intervention is possible.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a component of a later layer, a head that does not exist, and the mean over
    /// one prompt.
    pub(crate) fn check(&self, config: &Config) -> Result<()> {
        let prompts = self.batches.iter().map(Vec::len).sum();
        self.intervention.check(self.head, config, prompts)
    }

    /// Number of row-layer steps: of the `rows` of the prompts, and of recomputed rows.
    pub(crate) fn steps(&self, config: &Config, rows: usize) -> usize {
        let (layer, extent, side) = match *self.intervention {
            RunIntervention::Substitute { side, .. } | RunIntervention::Remove { side, .. } => {
                (self.head.layer, Extent::Pair, side)
            }
            RunIntervention::Set {
                head, activation, at, ..
            } => (head.layer, at, activation.side()),
        };
        let again = |prompt: &Prompt| {
            let dest = prompt.dest().unwrap_or_default();
            let first = match (extent, side) {
                (Extent::All, _) => 0,
                (Extent::Pair, Side::Query) => dest,
                (Extent::Pair, Side::Key) => prompt.src().unwrap_or_default(),
            };
            dest.saturating_sub(first) + 1
        };
        let again: usize = self.batches.iter().flatten().map(again).sum();
        rows * config.n_layer + again * config.n_layer.saturating_sub(layer)
    }

    /// The first layer from which activations are needed.
    fn first_layer(&self) -> usize {
        self.head.layer.min(self.intervention.head(self.head).layer)
    }

    /// Groups of batches that go through the model together: single batches if all blocks fit in memory, else as many
    /// as the limit allows, so that blocks are read less often.
    pub(super) fn groups(&self, model: &Model) -> Vec<Range<usize>> {
        let config = model.config();
        let layers = config.n_layer - self.first_layer() + 1;
        let of_row = 4 * config.d_model * layers * std::mem::size_of::<f32>();
        let bytes = |batch: &Vec<Prompt>| batch.iter().map(|prompt| prompt.tokens.len()).sum::<usize>() * of_row;
        let (mut groups, mut kept): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
        for (index, batch) in self.batches.iter().enumerate() {
            kept += bytes(batch);
            match groups.last_mut() {
                Some(group) if kept <= KEPT_BUDGET && !model.keeps_blocks(config.n_layer) => group.end = index + 1,
                _ => {
                    groups.push(index..index + 1);
                    kept = bytes(batch);
                }
            }
        }
        groups
    }
}

/// A batch that is being processed.
pub(super) struct Batch<'a> {
    prompts: &'a [Prompt],
    pub(super) pairs: Vec<Pair>,
    /// The pass through all layers, with the needed layers cached.
    pub(super) pass: Pass,
    /// For each prompt its targets, and the log-probability of the first.
    pub(super) targets: Vec<(Between, f32)>,
    /// `logit(a) - logit(b)` of each prompt.
    pub(super) differences: Vec<f64>,
    /// The vector to insert or remove in each prompt; None where an activation is set.
    pub(super) vectors: Vec<Option<Vec<f32>>>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(model: &Model, run: &OverRun<'_>, prompts: &'a [Prompt]) -> Result<Self> {
        let tree = tree_to_dest(model, prompts)?;
        let pair = |prompt: &Prompt| {
            Ok(Pair {
                tokens: prompt.tokens.clone(),
                dest: prompt.dest()?,
                src: prompt.src()?,
                head: run.head,
            })
        };
        let pairs: Vec<Pair> = prompts.iter().map(pair).collect::<Result<_>>()?;
        pairs.iter().try_for_each(|pair| pair.check(model))?;
        let point = |component, side| {
            let (layer, hook, head) = match component {
                Component::Head(Head { layer, head }) => (layer, BlockHook::Result, Some(head)),
                Component::Mlp(layer) => (layer, BlockHook::MlpOut, None),
                _ => return None,
            };
            let rows = pairs.iter().enumerate();
            let rows = rows
                .map(|(index, pair)| tree.path(index)[pair.position(side)])
                .collect();
            let mut tap = Tap::new(HookPoint::block(layer, hook), rows);
            tap.heads = head.into_iter().collect();
            Some(tap)
        };
        let component = run.intervention.component_at();
        let request = Request {
            taps: component
                .and_then(|(component, side)| point(component, side))
                .into_iter()
                .collect(),
            keep_from: Some(run.first_layer()),
            other_tokens: prompts.iter().flat_map(tokens_of).collect(),
        };
        Ok(Self {
            prompts,
            pass: Pass::new(tree, request),
            pairs,
            targets: Vec::new(),
            differences: Vec::new(),
            vectors: Vec::new(),
        })
    }

    /// The row of each prompt's destination.
    fn dests(&self) -> Vec<usize> {
        let pairs = self.pairs.iter().enumerate();
        pairs
            .map(|(index, pair)| self.pass.tree.path(index)[pair.dest])
            .collect()
    }

    /// Finds the target tokens of each prompt.
    pub(super) async fn find_targets(&mut self, model: &Model, monitor: &dyn Monitor) -> Result<()> {
        let log_probs = model.log_probs_at(&self.pass, &self.dests(), monitor).await?;
        for (prompt, log_probs) in self.prompts.iter().zip(&log_probs) {
            let targets = Between::of(prompt.targets, log_probs, model.config()).map_err(|error| Error {
                cause: format!("{:?}: {}", prompt.text, error.cause),
                ..error
            })?;
            let of_a = log_probs.get(targets.a as usize).copied().unwrap_or_default();
            self.targets.push((targets, of_a));
            self.differences.push(targets.difference(log_probs));
        }
        Ok(())
    }

    /// Finds the vectors to insert or remove.
    pub(super) async fn find_vectors(
        &mut self,
        model: &mut Model,
        intervention: &RunIntervention,
        means: &mut Means,
        (run, monitor): (&OverRun<'_>, &dyn Monitor),
    ) -> Result<()> {
        self.vectors = match intervention {
            RunIntervention::Set { .. }
            | RunIntervention::Substitute {
                vector: RunVector::Zero,
                ..
            } => vec![None; self.prompts.len()],
            RunIntervention::Substitute {
                side,
                vector: RunVector::Mean,
            } => {
                let point = HookPoint::block(run.head.layer, BlockHook::ResidPre);
                let found = means
                    .at(model, run.batches, (point, None), MeanPositions::OfSide(*side), monitor)
                    .await?;
                vec![found.into_iter().next(); self.prompts.len()]
            }
            RunIntervention::Substitute {
                side,
                vector: RunVector::Series(series),
            } => self.of_series(model, (*side, series), run.head, monitor).await?,
            RunIntervention::Substitute {
                side,
                vector: RunVector::Component(component),
            }
            | RunIntervention::Remove { side, component } => {
                let pairs = self.pairs.iter().enumerate();
                let vector = |(index, pair): (usize, &Pair)| {
                    let position = pair.position(*side);
                    let captured = || self.pass.captured.first().map(|captured| captured.row(index).to_vec());
                    Ok(Some(match component {
                        Component::TokenEmbedding => model.w_e(pair.tokens[position])?,
                        Component::PositionEmbedding => model.w_pos(position)?,
                        Component::AttentionBias(layer) => model.b_o(*layer)?.to_vec(),
                        _ => captured().unwrap_or_default(),
                    }))
                };
                pairs.map(vector).collect::<Result<_>>()?
            }
        };
        Ok(())
    }

    /// The vector of `series` in each prompt.
    async fn of_series(
        &self,
        model: &mut Model,
        (side, series): (Side, &SeriesId),
        head: Head,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        let tokens: BTreeSet<u32> = self.prompts.iter().map(Prompt::src_token).collect::<Result<_>>()?;
        let effective = EffectiveEmbeddings::read(model, tokens, monitor).await?;
        let weights = model.head_weights(head, monitor).await?;
        let (tree, config) = (&self.pass.tree, model.config());
        let resid = |row| self.pass.resid_pre(config, head.layer, row).iter().copied();
        let resid: Vec<f32> = (0..tree.len()).flat_map(resid).collect();
        let scores = HeadScores::new(&weights, tree, &resid, self.prompts.len())?;
        let vector = |(index, prompt): (usize, &Prompt)| {
            let drawn = prompt.drawn.iter();
            let drawn: Drawn<'_> = drawn.map(|(what, token)| (what.as_str(), vec![*token])).collect();
            let at = AtPrompt {
                model,
                effective: &effective,
                scores: &scores,
                prompt,
                index,
                earlier_head: None,
                drawn: &drawn,
                // Only the vectors are used, before any normalization.
                normalization: Normalization::default(),
            };
            vector_of(&at, side, series).map(Some)
        };
        self.prompts.iter().enumerate().map(vector).collect()
    }
}
