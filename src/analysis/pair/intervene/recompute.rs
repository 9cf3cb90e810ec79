//! Recomputes interventions to the end of the model, and predicts them linearly.

use super::baseline::{AtDest, Baseline, FrozenHead};
use super::intervention::Intervention;
use super::prepare::Prepared;
use super::sections::{Effect, Outcome, Predicted};
use crate::analysis::pair::{Between, NextToken, likeliest};
use crate::analysis::progress_tracker::ProgressTracker;
use crate::error::Result;
use crate::forward::{Edit, Model, Pass, Tap, Variant};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// Number of most likely next tokens that are reported.
const NEXT: usize = 20;

/// The outcome without intervention.
pub(super) fn before(model: &Model, baseline: &Baseline<'_>, log_probs: &[f32]) -> Result<Outcome> {
    let row = baseline.sequence.row(baseline.pair.dest)?;
    let captured = |hook| {
        baseline
            .sequence
            .pass
            .of_head(model.config(), baseline.pair.head, hook, row)
    };
    Ok(outcome(
        model,
        baseline,
        (&captured(BlockHook::AttnScores), captured(BlockHook::Pattern)),
        log_probs,
    ))
}

/// The effects of `interventions`, prepared as edits. All go through the model together, each position from the first
/// layer on in which something can change. `before` is the outcome without intervention.
///
/// # Errors
/// [`crate::ErrorKind::Request`] for edits that can't be made, read errors, and those of the observer of `tracker`.
pub(super) async fn effects(
    model: &mut Model,
    baseline: &Baseline<'_>,
    interventions: &[(Intervention, Prepared, FrozenHead)],
    before: &Outcome,
    tracker: &ProgressTracker<'_>,
) -> Result<Vec<Effect>> {
    let config = model.config().clone();
    let edits = interventions.iter().map(|(_, prepared, _)| prepared.edits.clone());
    let edits = edits.map(|edits| (baseline, edits));
    let (pass, rows) = edited(&config, baseline.sequence.pass, edits)?;
    tracker.plan_steps(
        pass.steps(config.n_layer),
        model.bytes_to_read(&[], config.n_layer, None),
    );
    let mut passes = [pass];
    model.run(&mut passes, config.n_layer, tracker).await?;
    let [pass] = passes;
    let log_probs = model.log_probs_at(&pass, &rows, tracker).await?;
    let mut effects = Vec::with_capacity(interventions.len());
    for (index, ((intervention, prepared, frozen), log_probs)) in interventions.iter().zip(&log_probs).enumerate() {
        let (scores, pattern) = at_dest(&config, baseline, &pass, rows[index])?;
        effects.push(Effect {
            intervention: *intervention,
            after: outcome(model, baseline, (&scores, pattern), log_probs),
            predicted: predicted(
                baseline,
                before,
                frozen,
                &frozen.with_edits(&prepared.frozen_head_edits),
            ),
        });
    }
    Ok(effects)
}

/// A pass over sequences of `base`, each with its edits and up to the destination of its pair; and the rows of the
/// destinations. Captures scores and pattern of the pairs' common head at those rows that are recomputed in its layer.
pub(super) fn edited<'a>(
    config: &Config,
    base: &Pass,
    edits: impl IntoIterator<Item = (&'a Baseline<'a>, Vec<Edit>)>,
) -> Result<(Pass, Vec<usize>)> {
    let (mut variants, mut dests, mut head) = (Vec::new(), Vec::new(), None);
    for (baseline, edits) in edits {
        let dest = baseline.pair.dest;
        variants.push(Variant {
            sequence: baseline.sequence.number,
            edits,
            until: Some(dest),
            only_last: true,
        });
        dests.push(dest);
        head = Some(baseline.pair.head);
    }
    let mut pass = base.edited(config, &variants)?;
    let rows: Vec<usize> = (0..)
        .zip(dests)
        .map(|(variant, dest)| pass.tree.path(variant)[dest])
        .collect();
    if let Some(head) = head {
        let computed = |row: &usize| pass.computed_from(*row).is_some_and(|layer| layer <= head.layer);
        let changed: Vec<usize> = rows.iter().copied().filter(computed).collect();
        let taps = [BlockHook::AttnScores, BlockHook::Pattern].map(|hook| {
            let point = HookPoint::block(head.layer, hook);
            Tap::new(point, changed.clone()).of_head(head.head)
        });
        pass.request.taps = taps.into();
    }
    Ok((pass, rows))
}

/// Scores and pattern of the pair's head at the destination `row` of a finished [`edited`] pass.
pub(super) fn at_dest(
    config: &Config,
    baseline: &Baseline<'_>,
    pass: &Pass,
    row: usize,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let [scores, pattern] = [0, 1].map(|tap| {
        let index = pass.request.taps[tap].rows.iter().position(|other| *other == row);
        index.map(|index| pass.captured[tap].row(index).to_vec())
    });
    if let Some(found) = scores.zip(pattern) {
        return Ok(found);
    }
    let row = baseline.sequence.row(baseline.pair.dest)?;
    let captured = |hook| baseline.sequence.pass.of_head(config, baseline.pair.head, hook, row);
    Ok((captured(BlockHook::AttnScores), captured(BlockHook::Pattern)))
}

/// The reported outcome, from scores, pattern and log-probabilities at the destination.
fn outcome(model: &Model, baseline: &Baseline<'_>, (scores, row): (&[f32], Vec<f32>), log_probs: &[f32]) -> Outcome {
    let Between { a, b } = baseline.targets;
    let [a, b] = [a, b].map(|token| log_probs.get(token as usize).copied().unwrap_or_default());
    let next = likeliest(log_probs, NEXT)
        .into_iter()
        .map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
    Outcome {
        score: scores.get(baseline.pair.src).copied().unwrap_or_default(),
        row,
        logit_difference: a - b,
        logprob_a: a,
        next: next.collect(),
    }
}

/// The linear prediction, from the outputs `after` the intervention of the head `frozen`.
fn predicted(baseline: &Baseline<'_>, before: &Outcome, frozen: &FrozenHead, after: &AtDest) -> Predicted {
    let src = baseline.pair.src;
    let logit_difference = (baseline.logit_difference + after.direct - frozen.before.direct) as f32;
    let own = frozen.head == baseline.pair.head;
    let at_src = |values: &[f64], before: f32| match own {
        true => values.get(src).map_or(before, |&v| v as f32),
        // A path from another head through the pair's head is not a direct path.
        false => before,
    };
    Predicted {
        attention: at_src(&after.pattern, before.attention(src)),
        score: at_src(&after.scores, before.score),
        logit_difference,
    }
}
