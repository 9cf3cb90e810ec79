//! Interventions recomputed to the end of the model, beside what the linear split predicts.

use super::ground::{AtDest, Frozen, Ground};
use super::intervention::Intervention;
use super::prepare::Prepared;
use super::sections::{Effect, Outcome, Predicted};
use crate::analysis::meter::Meter;
use crate::analysis::pair::{Between, NextToken, likeliest};
use crate::error::Result;
use crate::forward::{Edit, Model, Pass, Tap, Variant};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// Likeliest next tokens that are reported.
const NEXT: usize = 20;

/// The pair as it is.
pub(super) fn before(model: &Model, ground: &Ground<'_>, log_probs: &[f32]) -> Result<Outcome> {
    let row = ground.sentence.row(ground.pair.dest)?;
    let of = |hook| {
        ground
            .sentence
            .pass()
            .of_head(model.config(), ground.pair.head, hook, row)
    };
    Ok(outcome(
        model,
        ground,
        (&of(BlockHook::AttnScores), of(BlockHook::Pattern)),
        log_probs,
    ))
}

/// What becomes of the pair with each of `prepared`, which are of `interventions`: all go through the model together, each position from the
/// first layer on in which something can change. `frozen` are their heads, `before` is the pair as it is.
///
/// # Errors
/// [`crate::ErrorKind::Request`] for edits that can't be made, errors of reading, and those of `meter`'s observer.
pub(super) async fn effects(
    model: &mut Model,
    ground: &Ground<'_>,
    interventions: &[(Intervention, Prepared, Frozen)],
    before: &Outcome,
    meter: &Meter<'_>,
) -> Result<Vec<Effect>> {
    let config = model.config().clone();
    let edits = interventions.iter().map(|(_, prepared, _)| prepared.edits.clone());
    let (pass, rows) = edited(&config, ground, edits)?;
    meter.plan_steps(
        pass.steps(config.n_layer),
        model.bytes_to_read(&[], config.n_layer, None),
    );
    let mut passes = [pass];
    model.run(&mut passes, config.n_layer, meter).await?;
    let [pass] = passes;
    let log_probs = model.log_probs_at(&pass, &rows, meter).await?;
    let mut effects = Vec::with_capacity(interventions.len());
    for (index, ((intervention, prepared, frozen), log_probs)) in interventions.iter().zip(&log_probs).enumerate() {
        let (scores, pattern) = at_dest(&config, ground, &pass, rows[index])?;
        effects.push(Effect {
            intervention: *intervention,
            after: outcome(model, ground, (&scores, pattern), log_probs),
            predicted: predicted(ground, before, frozen, &frozen.with(&prepared.frozen)),
        });
    }
    Ok(effects)
}

/// A pass in which each of `edits` is a sequence up to the destination, and the rows of the destination in them. It captures scores and
/// pattern of the pair's head at those that are computed by then.
pub(super) fn edited(
    config: &Config,
    ground: &Ground<'_>,
    edits: impl IntoIterator<Item = Vec<Edit>>,
) -> Result<(Pass, Vec<usize>)> {
    let dest = ground.pair.dest;
    let variants: Vec<Variant> = edits
        .into_iter()
        .map(|edits| Variant {
            sequence: 0,
            edits,
            until: Some(dest),
            only_last: true,
        })
        .collect();
    let mut pass = ground.sentence.pass().edited(config, &variants)?;
    let rows: Vec<usize> = (0..variants.len())
        .map(|variant| pass.tree.path(variant)[dest])
        .collect();
    let head = ground.pair.head;
    let changed: Vec<usize> = rows
        .iter()
        .copied()
        .filter(|&row| changes(ground, &pass, row))
        .collect();
    let taps = [BlockHook::AttnScores, BlockHook::Pattern].map(|hook| {
        let point = HookPoint::block(head.layer, hook);
        Tap::new(point, changed.clone()).of_head(head.head)
    });
    pass.request.taps = taps.into();
    Ok((pass, rows))
}

/// Whether `row` of `pass` is computed anew in the layer of the pair's head.
fn changes(ground: &Ground<'_>, pass: &Pass, row: usize) -> bool {
    pass.computed_from(row)
        .is_some_and(|layer| layer <= ground.pair.head.layer)
}

/// Scores and pattern of the pair's head at `row`, the destination's in a finished [`edited`] pass.
pub(super) fn at_dest(config: &Config, ground: &Ground<'_>, pass: &Pass, row: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let [scores, pattern] = [0, 1].map(|tap| {
        let index = pass.request.taps[tap].rows.iter().position(|of| *of == row);
        index.map(|index| pass.captured[tap].row(index).to_vec())
    });
    if let Some(found) = scores.zip(pattern) {
        return Ok(found);
    }
    let row = ground.sentence.row(ground.pair.dest)?;
    let of = |hook| ground.sentence.pass().of_head(config, ground.pair.head, hook, row);
    Ok((of(BlockHook::AttnScores), of(BlockHook::Pattern)))
}

/// What is reported of scores, pattern and log-probabilities at the destination.
fn outcome(model: &Model, ground: &Ground<'_>, (scores, row): (&[f32], Vec<f32>), log_probs: &[f32]) -> Outcome {
    let Between { a, b } = ground.targets;
    let [a, b] = [a, b].map(|token| log_probs.get(token as usize).copied().unwrap_or_default());
    let next = likeliest(log_probs, NEXT)
        .into_iter()
        .map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
    Outcome {
        score: scores.get(ground.pair.src).copied().unwrap_or_default(),
        row,
        logit_difference: a - b,
        logprob_a: a,
        next: next.collect(),
    }
}

/// What the linear split makes of `after`, what `frozen` makes with an intervention.
fn predicted(ground: &Ground<'_>, before: &Outcome, frozen: &Frozen, after: &AtDest) -> Predicted {
    let src = ground.pair.src;
    let logit_difference = (ground.logit_difference + after.direct - frozen.before.direct) as f32;
    let own = frozen.head == ground.pair.head;
    let of = |values: &[f64], before: f32| match own {
        true => values.get(src).map_or(before, |&v| v as f32),
        // Another head's path to the pair's is none of the direct ones.
        false => before,
    };
    Predicted {
        attention: of(&after.pattern, before.attention(src)),
        score: of(&after.scores, before.score),
        logit_difference,
    }
}
