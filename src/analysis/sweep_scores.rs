//! The scores of many heads over one set of prompts, from one pass.

use super::array::Array;
use super::progress_tracker::ProgressTracker;
use super::request::{Observer, Phase};
use super::scores::{HeadScores, probability};
use super::timing::Timing;
use super::tree::up_to_dest;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, Tap, relay};
use crate::names::{BlockHook, Head, HookPoint};
use crate::prompts::{Made, Prompt, PromptSource};

/// Limit of the bytes of residual streams (of all layers) that are held; determines how many batches go through the
/// model together.
const KEPT: usize = 512 << 20;

/// Scores of heads from the destination to the source of each prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoresOfHeads {
    /// The heads, in the order of all values.
    pub heads: Vec<Head>,
    /// The prompts, in the order of all values.
    pub prompts: Vec<Prompt>,
    /// Attention scores, `[head, prompt]`.
    pub scores: Array,
    /// Attention probabilities, `[head, prompt]`.
    pub probabilities: Array,
    /// Whether the source gets the most attention of all positions, `[head, prompt]`.
    pub is_largest: Vec<bool>,
    /// Times of the run.
    pub timing: Timing,
}

/// The scores of `heads` of `model` on the prompts of `source`: those that a run about each of them finds, but that all go through the
/// model once. Heads of the first layer have scores, too.
///
/// # Errors
/// [`ErrorKind::Request`] for heads that do not exist, or none; [`ErrorKind::Prompt`] for prompts that do not fit the model,
/// [`ErrorKind::Cancelled`] from `observer`, and read errors.
///
/// ```
/// use keyside::analysis::scores_of_heads;
/// # use keyside::analysis::{BatchValues, Observer, Progress};
/// use keyside::checkpoint::FileSource;
/// use keyside::forward::Model;
/// use keyside::model::Processing;
/// use keyside::prompts::IoiSet;
/// # struct Quiet;
/// # impl Observer for Quiet {
/// #     fn progress(&self, _: &Progress) {}
/// #     fn batch(&self, _: usize, _: &BatchValues) {}
/// #     fn yield_now(&self) -> futures::future::LocalBoxFuture<'_, keyside::Result<()>> { Box::pin(async { Ok(()) }) }
/// # }
///
/// # futures::executor::block_on(async {
/// let source = FileSource::new("public/models/tiny-ioi");
/// let mut model = Model::open(Box::new(source), Processing::default()).await?;
/// let prompts = IoiSet { batches: 1, batch_size: 8, ..IoiSet::default() };
/// let found = scores_of_heads(&mut model, &["0.1".parse()?, "1.3".parse()?], &prompts.into(), &Quiet).await?;
/// assert_eq!(found.probabilities.shape(), [2, 8]);
/// # Ok::<(), keyside::Error>(())
/// # }).unwrap();
/// ```
pub async fn scores_of_heads(
    model: &mut Model,
    heads: &[Head],
    source: &PromptSource,
    observer: &dyn Observer,
) -> Result<ScoresOfHeads> {
    source.check()?;
    heads.iter().try_for_each(|head| model.config().check_head(*head))?;
    let Some(layers) = heads.iter().map(|head| head.layer).max() else {
        return Err(Error::new(ErrorKind::Request, "there is no head to look at").expected("one or more, such as 10.7"));
    };
    let before = model.checkpoint().traffic();
    let tracker = ProgressTracker::new(observer, Phase::Prompts, source.batches(), layers, before);
    let n_ctx = model.config().n_ctx;
    let made = source.make(model.tokenizer(), n_ctx, async || tracker.yield_now().await);
    let Made { batches, .. } = made.await?;
    tracker.batches(batches.len());
    let mut values: Vec<Vec<Value>> = vec![Vec::new(); heads.len()];
    let groups = groups(model, &batches, layers)?;
    let mut passes = Vec::with_capacity(groups.len());
    for group in &groups {
        let sequences = group.iter().map(|prompts| up_to_dest(model, prompts));
        passes.push(Pass::sharing(&sequences.collect::<Result<Vec<_>>>()?));
    }
    let positions = passes.iter().flatten().map(Pass::computed_rows).sum();
    if let Some(first) = passes.first() {
        tracker.plan(positions, model.bytes_to_read(first, layers, Some(layers)));
    }
    for (group, mut passes) in groups.into_iter().zip(passes) {
        ask(&mut passes, layers);
        model.run(&mut passes, layers, &tracker).await?;
        for (head, values) in heads.iter().zip(&mut values) {
            let weights = model.head_weights(*head, &tracker).await?;
            for (prompts, pass) in group.iter().zip(&passes) {
                // The taps of other passes, which borrow its rows, come after its own.
                let resid = if head.layer < layers {
                    &pass.captured[head.layer].values
                } else {
                    &pass.resid
                };
                let scores = HeadScores::new(&weights, &pass.tree, resid, prompts.len())?;
                for (index, prompt) in prompts.iter().enumerate() {
                    values.push(value(&scores.row(index), prompt.src()?));
                }
            }
            tracker.yield_now().await?;
        }
        for (index, pass) in passes.iter().enumerate() {
            tracker.finished_batch(index, pass.computed_rows(), &[]);
        }
    }
    let shape = vec![heads.len(), values.first().map_or(0, Vec::len)];
    let all = || values.iter().flatten();
    Ok(ScoresOfHeads {
        scores: Array::new(shape.clone(), all().map(|value| value.score).collect())?,
        probabilities: Array::new(shape, all().map(|value| value.probability).collect())?,
        is_largest: all().map(|value| value.is_largest).collect(),
        heads: heads.to_vec(),
        prompts: batches.into_iter().flatten().collect(),
        timing: tracker.timing_of_blocks(model),
    })
}

/// Score, probability and rank of one head in one prompt.
#[derive(Clone, Copy)]
struct Value {
    score: f32,
    probability: f32,
    is_largest: bool,
}

/// From the scores of a head at the destination, and the position of the source.
fn value(scores: &[f32], src: usize) -> Value {
    let others = scores.iter().enumerate().filter(|(position, _)| *position != src);
    Value {
        score: scores[src],
        probability: probability(scores, src, scores[src]),
        is_largest: others.fold(true, |is_largest, (_, other)| is_largest && *other < scores[src]),
    }
}

/// Divides `batches` into groups whose residual streams fit in memory together; one group if possible.
fn groups<'b>(model: &Model, batches: &'b [Vec<Prompt>], layers: usize) -> Result<Vec<&'b [Vec<Prompt>]>> {
    let of_position = (layers + 1) * model.config().d_model * size_of::<f32>();
    let (mut groups, mut start, mut kept) = (Vec::new(), 0, 0);
    for (index, prompts) in batches.iter().enumerate() {
        let positions: usize = up_to_dest(model, prompts)?.iter().map(|tokens| tokens.len()).sum();
        let more = positions.saturating_mul(of_position);
        if index > start && kept + more > KEPT {
            groups.push(&batches[start..index]);
            (start, kept) = (index, 0);
        }
        kept += more;
    }
    groups.push(&batches[start..]);
    Ok(groups)
}

/// Adds taps for the inputs of the first `layers` layers. The input of the next layer is the pass's residual stream.
fn ask(passes: &mut [Pass], layers: usize) {
    for pass in passes.iter_mut() {
        let rows: Vec<usize> = (0..pass.tree.len()).collect();
        let tap = |layer| Tap::new(HookPoint::block(layer, BlockHook::ResidPre), rows.clone());
        pass.request.taps = (0..layers).map(tap).collect();
    }
    relay(passes);
}
