//! An intervention at every prompt of a run: each recomputed to the end of the model, batch by batch.

use super::baseline::{Baseline, PredictionBasis, Sequence};
use super::means::Means;
use super::prepare::{Prepared, made_from, mean_at, positions, removal, set_to, zeros};
use super::recompute::{at_dest, edited};
use super::run_batch::{Batch, OverRun};
use crate::analysis::BatchValues;
use crate::analysis::changes::{ChangesSection, RunIntervention, RunReplacement};
use crate::analysis::pair::{Between, LabeledToken};
use crate::analysis::progress_tracker::ProgressTracker;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Pass, Request};
use crate::names::{BlockHook, HookPoint};

/// The changes caused by `run`. Every batch is reported to `tracker` when it is finished, numbered after the run's own
/// batches.
///
/// # Errors
/// [`ErrorKind::Request`] for a vector that a prompt does not have or that has no direction, and for numbers that are
/// not finite; [`ErrorKind::Target`] for a prompt whose targets are not two tokens; read errors, and those of the
/// observer of `tracker`.
pub(crate) async fn changes(
    model: &mut Model,
    run: OverRun<'_>,
    tracker: &ProgressTracker<'_>,
) -> Result<ChangesSection> {
    run.check(model.config())?;
    let mut section = ChangesSection::empty(run.head, run.intervention.clone());
    let mut means = Means::default();
    for group in run.groups(model) {
        let mut batches = Vec::with_capacity(group.len());
        for prompts in &run.batches[group.clone()] {
            batches.push(Batch::new(model, &run, prompts)?);
        }
        let found = of_group(model, &run, &mut batches, &mut means, tracker).await?;
        for (index, changes) in group.zip(found) {
            section.append(&changes);
            let positions = run.batches[index].iter().map(|prompt| prompt.tokens.len()).sum();
            let values = BatchValues {
                changes: Some(changes),
                ..BatchValues::default()
            };
            tracker.finished_batch(run.batches.len() + index, positions, &[&values]);
        }
    }
    Ok(section)
}

/// Processes `batches` that go through the model together: once unchanged, then with edits, where something can change.
async fn of_group(
    model: &mut Model,
    run: &OverRun<'_>,
    batches: &mut [Batch<'_>],
    means: &mut Means,
    tracker: &ProgressTracker<'_>,
) -> Result<Vec<ChangesSection>> {
    let config = model.config().clone();
    let nothing = || Pass::new(Default::default(), Request::default());
    let mut passes: Vec<Pass> = batches
        .iter_mut()
        .map(|batch| std::mem::replace(&mut batch.pass, nothing()))
        .collect();
    model.run(&mut passes, config.n_layer, tracker).await?;
    for (batch, pass) in batches.iter_mut().zip(passes) {
        batch.pass = pass;
        batch.find_targets(model, tracker).await?;
    }
    let targets = batches.iter().flat_map(|batch| &batch.targets);
    let tokens = targets.flat_map(|(Between { a, b }, _)| [*a, *b]).collect();
    model.load_embedding(&tokens, tracker).await?;
    for batch in batches.iter_mut() {
        batch
            .find_vectors(model, run.intervention, means, (run, tracker))
            .await?;
    }
    let (mut changes, mut passes, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for batch in batches.iter() {
        let mut found = ChangesSection::empty(run.head, run.intervention.clone());
        let (mut baselines, mut edits) = (Vec::new(), Vec::new());
        for (number, pair) in batch.pairs.iter().enumerate() {
            let sequence = Sequence {
                pass: &batch.pass,
                number,
            };
            let (targets, of_a) = batch.targets[number];
            let asked = (targets, batch.differences[number]);
            let baseline = Baseline::new(model, (pair, sequence), asked, tracker).await?;
            let edit = prepared(model, (run, &baseline), batch.vectors[number].as_ref(), means, tracker).await?;
            note(model, &mut found, &baseline, (of_a, &edit), tracker).await?;
            edits.push(edit.edits);
            baselines.push(baseline);
        }
        let (pass, rows) = edited(&config, &batch.pass, baselines.iter().zip(edits))?;
        passes.push(pass);
        changes.push(found);
        all.push((baselines, rows));
    }
    model.run(&mut passes, config.n_layer, tracker).await?;
    for ((found, pass), (baselines, rows)) in changes.iter_mut().zip(&passes).zip(&all) {
        let log_probs = model.log_probs_at(pass, rows, tracker).await?;
        for ((baseline, &row), log_probs) in baselines.iter().zip(rows).zip(&log_probs) {
            let (_, pattern) = at_dest(&config, baseline, pass, row)?;
            let attention = pattern.get(baseline.pair.src).copied().unwrap_or_default();
            let of_a = log_probs.get(baseline.targets.a as usize).copied().unwrap_or_default();
            found
                .after
                .push([attention, baseline.targets.difference(log_probs) as f32, of_a]);
        }
        if !found.is_finite() {
            let cause = format!("\"{}\" gives numbers that are not finite", run.intervention);
            return Err(Error::new(ErrorKind::Request, cause).advice("Choose another intervention."));
        }
    }
    Ok(changes)
}

/// Adds the prompt of `baseline` to `found`: without intervention, and as linearly predicted with `edit`.
async fn note(
    model: &mut Model,
    found: &mut ChangesSection,
    baseline: &Baseline<'_>,
    (of_a, edit): (f32, &Prepared),
    tracker: &ProgressTracker<'_>,
) -> Result<()> {
    let [a, b] = [baseline.targets.a, baseline.targets.b].map(|token| LabeledToken::new(model.tokenizer(), token));
    found.a.push(a);
    found.b.push(b);
    let (head, src) = (baseline.pair.head, baseline.pair.src);
    let row = baseline.sequence.row(baseline.pair.dest)?;
    let pattern = baseline
        .sequence
        .pass
        .of_head(model.config(), head, BlockHook::Pattern, row);
    let attention = pattern.get(src).copied().unwrap_or_default();
    found.before.push([attention, baseline.logit_difference as f32, of_a]);
    let frozen = baseline.frozen_head(model, edit.head, tracker).await?;
    let after = frozen.with_edits(&edit.frozen_head_edits);
    // A path from another head through the measured head is not a direct path.
    let predicted = if edit.head == head {
        after.pattern.get(src).map_or(attention, |&v| v as f32)
    } else {
        attention
    };
    found.predicted.attention.extend([predicted]);
    let logit_difference = baseline.logit_difference + after.direct - frozen.before.direct;
    found.predicted.logit_difference.extend([logit_difference as f32]);
    Ok(())
}

/// The edits for the prompt of `baseline`; `vector` is to be inserted or removed.
async fn prepared(
    model: &mut Model,
    (run, baseline): (&OverRun<'_>, &Baseline<'_>),
    vector: Option<&Vec<f32>>,
    means: &mut Means,
    tracker: &ProgressTracker<'_>,
) -> Result<Prepared> {
    match *run.intervention {
        RunIntervention::Substitute { side, .. } => made_from(baseline, side, (vector.cloned(), run.normalization)),
        RunIntervention::Remove { side, .. } => {
            let frozen = baseline.frozen_head(model, run.head, tracker).await?;
            let vector = vector.map(Vec::as_slice).unwrap_or_default();
            removal(
                model,
                PredictionBasis {
                    baseline,
                    frozen_head: &frozen,
                },
                side,
                (vector, 1.0),
            )
        }
        RunIntervention::Set {
            head,
            activation,
            to,
            at: extent,
        } => {
            let positions = positions(baseline, activation, extent);
            let values = match to {
                RunReplacement::Zero => zeros(model, activation, &positions),
                RunReplacement::Mean => {
                    let hook_and_head = (HookPoint::block(head.layer, activation.hook()), Some(head.head));
                    let place = mean_at(activation, extent, &positions);
                    means.at(model, run.batches, hook_and_head, place, tracker).await?
                }
            };
            Ok(set_to((head, activation), positions.into_iter().zip(values)))
        }
    }
}
