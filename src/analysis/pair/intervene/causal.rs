//! The causal map of a pair: every component of either side removed one at a time, recomputed to the end of the model.

use super::baseline::{Baseline, PredictionBasis};
use super::causal_section::{CausalSection, CausalSide, Changes};
use super::prepare::removal;
use super::recompute::{at_dest, edited};
use crate::analysis::pair::Sentence;
use crate::analysis::progress_tracker::ProgressTracker;
use crate::error::Result;
use crate::forward::{CHUNK, Edit, Model, Monitor, Pass, PrefixTree, Request};
use crate::math;
use crate::names::{Component, Side};

/// A causal map while it is being computed.
pub(super) struct Map {
    pub(super) section: CausalSection,
    sides: [OfSide; 2],
}

/// The work for one side.
struct OfSide {
    side: Side,
    /// The removal of each component.
    edits: Vec<Edit>,
    /// The changes caused by each: score, ln attention, logit difference. None until they are computed.
    changes: Vec<Option<[f64; 3]>>,
}

/// A pass with the removals of some components of one side: the index of the side, and the first component.
struct PartOfSide {
    side: usize,
    first: usize,
    rows: Vec<usize>,
}

impl Map {
    /// The map linearly predicted for the pair of `basis`. `section` is the
    /// pair's section, without components. Nothing is recomputed.
    ///
    /// # Errors
    /// Read errors, and those of `monitor`.
    pub(super) async fn predicted(
        model: &mut Model,
        basis: PredictionBasis<'_>,
        sentence: &Sentence,
        mut section: CausalSection,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let PredictionBasis { baseline, frozen_head } = basis;
        let (pair, n_head) = (baseline.pair, model.config().n_head);
        section.components = Component::before(pair.head.layer, n_head).collect();
        let mut sides = Vec::with_capacity(Side::ALL.len());
        let written = baseline
            .written(model, sentence, &[pair.dest, pair.src], monitor)
            .await?;
        for (side, written) in Side::ALL.into_iter().zip(written) {
            let (mut edits, mut predicted) = (Vec::new(), Changes::default());
            // The components before the head come first.
            for (_, vector) in section.components.iter().zip(written.iter()) {
                let prepared = removal(model, basis, side, (vector, 1.0))?;
                let after = frozen_head.with_edits(&prepared.frozen_head_edits);
                predicted.push(difference(
                    baseline,
                    (&after.scores, &frozen_head.before.scores),
                    after.direct - frozen_head.before.direct,
                ));
                edits.extend(prepared.edits);
            }
            let recomputed = Changes::default();
            *section.side_mut(side) = CausalSide { predicted, recomputed };
            let changes = vec![None; edits.len()];
            sides.push(OfSide { side, edits, changes });
        }
        let [query, key] = [sides.remove(0), sides.remove(0)];
        Ok(Self {
            section,
            sides: [query, key],
        })
    }

    /// Recomputes the map for all components: only the destination (query side) and the positions from the source on
    /// (key side), from the head's layer on. Calls `done` whenever some components are finished.
    ///
    /// # Errors
    /// Read errors, and those of the observer of `tracker`; what is there stays.
    pub(super) async fn recompute(
        &mut self,
        model: &mut Model,
        basis: PredictionBasis<'_>,
        tracker: &ProgressTracker<'_>,
        mut done: impl FnMut(&Model, &CausalSection),
    ) -> Result<()> {
        let PredictionBasis { baseline, frozen_head } = basis;
        let config = model.config().clone();
        let (mut passes, mut parts) = (Vec::new(), Vec::new());
        for (index, of_side) in self.sides.iter().enumerate() {
            let at_a_time = (CHUNK / rows_of_one(baseline, of_side.side)).max(1);
            for (number, edits) in of_side.edits.chunks(at_a_time).enumerate() {
                let edits = edits.iter().map(|edit| (baseline, vec![edit.clone()]));
                let (pass, rows) = edited(&config, baseline.sequence.pass, edits)?;
                passes.push(pass);
                parts.push(PartOfSide {
                    side: index,
                    first: number * at_a_time,
                    rows,
                });
            }
        }
        tracker.batches(passes.len());
        let steps = passes.iter().map(|pass| pass.steps(config.n_layer));
        tracker.plan_steps(steps.sum(), model.bytes_to_read(&[], config.n_layer, None));
        let mut schedule = model.begin(&mut passes, config.n_layer, tracker).await?;
        while let Some(index) = model.advance(&mut schedule, &mut passes, tracker).await? {
            // Frees the pass after it has been evaluated.
            let pass = std::mem::replace(&mut passes[index], Pass::new(PrefixTree::default(), Request::default()));
            let PartOfSide { side, first, rows } = &parts[index];
            for (number, &row) in rows.iter().enumerate() {
                let (scores, _) = at_dest(&config, baseline, &pass, row)?;
                let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
                let logits = baseline.logit_difference_at(&config, &pass, row)? - baseline.logit_difference;
                let change = difference(baseline, (&scores, &frozen_head.before.scores), logits);
                self.sides[*side].changes[first + number] = Some(change);
            }
            let of_side = &self.sides[*side];
            let mut recomputed = Changes::default();
            of_side
                .changes
                .iter()
                .map_while(|change| *change)
                .for_each(|change| recomputed.push(change));
            self.section.side_mut(of_side.side).recomputed = recomputed;
            tracker.finished_batch(index, pass.tree.len() - baseline.pair.tokens.len(), &[]);
            done(model, &self.section);
        }
        Ok(())
    }
}

/// Number of positions to recompute for one component of `side`.
fn rows_of_one(baseline: &Baseline<'_>, side: Side) -> usize {
    match side {
        Side::Query => 1,
        Side::Key => baseline.pair.dest - baseline.pair.src + 1,
    }
}

/// The changes of the three measures, from the scores `before` and `after`, and the change `logits` of the logit
/// difference.
fn difference(baseline: &Baseline<'_>, (after, before): (&[f64], &[f64]), logits: f64) -> [f64; 3] {
    let src = baseline.pair.src;
    let ln_attention = |scores: &[f64]| scores[src] - math::log_sum_exp(scores);
    [
        after[src] - before[src],
        ln_attention(after) - ln_attention(before),
        logits,
    ]
}
