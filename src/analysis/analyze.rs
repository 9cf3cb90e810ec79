//! Runs all analyses over a set of prompts.

use futures::future::LocalBoxFuture;

use crate::analysis::analyzer::AnyAnalyzer;
use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::pair::{OverRun, changes};
use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::run::Run;
use crate::analysis::run_cache::{RunCache, RunKey};
use crate::analysis::tree::up_to_dest;
use crate::analysis::{Analysis, ChangesSection, Observer, Phase, Section, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, Request, relay};
use crate::prompts::{Made, Prompt, PromptSet};

/// Runs `analysis` on `model` and reports progress to `observer`.
///
/// The result depends on the model and `analysis` alone. Batches are computed while weights are read. If all needed
/// blocks fit in memory, batches finish one after the other; otherwise all batches go through the model together, so
/// that every block is read once.
///
/// # Errors
/// [`ErrorKind::Request`] for settings that make no sense for this model, [`ErrorKind::Prompt`] for prompts that do not
/// fit it, [`ErrorKind::Cancelled`] from `observer`, and read errors. The model stays usable after any of them.
pub fn analyze<'a>(
    model: &'a mut Model,
    analysis: &'a Analysis,
    observer: &'a dyn Observer,
) -> LocalBoxFuture<'a, Result<Analyzed>> {
    Box::pin(analyzed(model, (analysis, None), observer))
}

/// The same, going on from what is in `cache` of the last run with this model, and keeping there what this one leaves: a
/// run of another head on the same prompts computes the blocks between both heads only, but for the first batch. The
/// result is the same, bit for bit, but for its times.
///
/// ```
/// # use futures::executor::block_on;
/// # use keyside::analysis::{Analysis, Observer, RunCache, analyze_next};
/// # use keyside::checkpoint::FileSource;
/// # use keyside::forward::Model;
/// # use keyside::model::Processing;
/// # use keyside::names::Head;
/// # struct Nobody;
/// # impl Observer for Nobody {
/// #     fn progress(&self, _: &keyside::analysis::Progress) {}
/// #     fn batch(&self, _: usize, _: &keyside::analysis::BatchValues) {}
/// #     fn yield_now(&self) -> futures::future::LocalBoxFuture<'_, keyside::Result<()>> {
/// #         Box::pin(std::future::ready(Ok(())))
/// #     }
/// # }
/// let source = Box::new(FileSource::new("tests/fixtures/tiny"));
/// let mut model = block_on(Model::open(source, Processing::default()))?;
/// let mut cache = RunCache::default();
/// for head in [Head::new(1, 0), Head::new(2, 1)] {
///     let analysis = Analysis { head, earlier_head: Head::new(0, 3), ..Analysis::default() };
/// # let prompts = keyside::prompts::IoiSet { batches: 2, batch_size: 3, ..Default::default() }.into();
/// # let analysis = Analysis { prompts, ..analysis };
///     let found = block_on(analyze_next(&mut model, &analysis, &mut cache, &Nobody))?;
///     println!("{head}: {:.1} s", found.timing.seconds);
/// }
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// As [`analyze`].
pub fn analyze_next<'a>(
    model: &'a mut Model,
    analysis: &'a Analysis,
    cache: &'a mut RunCache,
    observer: &'a dyn Observer,
) -> LocalBoxFuture<'a, Result<Analyzed>> {
    Box::pin(analyzed(model, (analysis, Some(cache)), observer))
}

async fn analyzed(
    model: &mut Model,
    (analysis, cache): (&Analysis, Option<&mut RunCache>),
    observer: &dyn Observer,
) -> Result<Analyzed> {
    let found = found_by(Section::analyzers(analysis), model, (analysis, cache), observer).await?;
    let Found {
        mut sections,
        made: Made { batches, set },
        changes,
        timing,
    } = found;
    sections.extend(changes.map(Section::from));
    Ok(Analyzed {
        set,
        prompts: batches.into_iter().flatten().collect(),
        sections,
        timing,
    })
}

/// What the analyzers (whose sections are of kinds `S`) and the intervention have found.
struct Found<S> {
    sections: Vec<S>,
    made: Made,
    changes: Option<ChangesSection>,
    timing: Timing,
}

/// Runs `analyzers` in one pass over one set of prompts, see [`analyze()`]. The intervention follows in a second pass
/// through all layers.
async fn found_by<S>(
    analyzers: Vec<Box<dyn AnyAnalyzer<S>>>,
    model: &mut Model,
    (analysis, mut cache): (&Analysis, Option<&mut RunCache>),
    observer: &dyn Observer,
) -> Result<Found<S>> {
    check(model, analysis)?;
    let mut run = Run::new(analyzers, analysis, model.config());
    let layers = run.layers();
    model.set_processing(analysis.processing);
    let before = model.checkpoint().traffic();
    let tracker = ProgressTracker::new(observer, Phase::Prompts, analysis.prompts.batches(), layers, before);
    let n_ctx = model.config().n_ctx;
    let made = analysis
        .prompts
        .make(model.tokenizer(), n_ctx, async || tracker.yield_now().await);
    let made = made.await?;
    let batches = &made.batches;
    tracker.batches(batches.len());
    let (mut passes, effective) = run.passes(model, batches)?;
    let positions: usize = passes.iter().map(Pass::computed_rows).sum();
    let over_run = analysis.intervention.as_ref().map(|intervention| OverRun {
        head: analysis.head,
        intervention,
        normalization: analysis.normalization,
        batches,
    });
    match over_run {
        Some(over_run) => {
            over_run.check(model.config())?;
            let (config, n_layer) = (model.config(), model.config().n_layer);
            let of_batches: usize = passes.iter().map(|pass| pass.tree.len()).sum();
            let steps = positions * layers.max(1) + over_run.steps(config, of_batches);
            tracker.plan_steps(steps, model.bytes_to_read(&passes, n_layer, None));
        }
        None => tracker.plan(
            positions,
            model.bytes_to_read(&passes, layers, Some(analysis.head.layer)),
        ),
    }

    let mut schedule = model.begin(&mut passes, layers, &tracker).await?;
    let weights = model.head_weights(analysis.head, &tracker).await?;
    run.ask(model, &weights, &mut passes, batches)?;
    // Dropped with a run that does not end.
    let mut next = RunCache::default();
    if let Some(cache) = &mut cache {
        let sequences = batches.iter().map(|prompts| up_to_dest(model, prompts));
        let key = RunKey::new(model, &sequences.collect::<Result<Vec<_>>>()?);
        if let Some(resumed) = cache.resume(&key, &mut passes, layers) {
            tracker.resume(&resumed);
        }
        // An intervention's second pass, and blocks that are read again and again, need the room.
        if over_run.is_none() && model.keeps_blocks(layers) {
            next.prepare(key, &passes, model.config().d_model);
        }
    }
    relay(&mut passes);
    let effective = EffectiveEmbeddings::read(model, effective, &tracker).await?;
    while let Some(index) = model.advance(&mut schedule, &mut passes, &tracker).await? {
        // Taken out, so that a finished batch's residual stream is freed.
        let pass = std::mem::replace(&mut passes[index], Pass::new(Default::default(), Request::default()));
        run.feed((model, &weights, &effective), (index, &batches[index], &pass), &tracker)?;
        next.keep(index, pass, (analysis.head.layer, layers));
        tracker.yield_now().await?;
    }
    run.conclude(model, &tracker).await?;
    let changes = match over_run {
        Some(over_run) => {
            tracker.begin_second_pass(batches.len(), model.config().n_layer);
            Some(changes(model, over_run, &tracker).await?)
        }
        None => None,
    };
    if let Some(cache) = cache {
        *cache = next;
    }
    Ok(Found {
        sections: run.finish(),
        // An intervention's passes compute parts of blocks, for which there is no rate.
        timing: match changes {
            Some(_) => tracker.timing().with(model),
            None => tracker.timing_of_blocks(model),
        },
        changes,
        made,
    })
}

/// Checks the settings against the model.
fn check(model: &Model, analysis: &Analysis) -> Result<()> {
    let Analysis {
        head,
        earlier_head,
        ref prompts,
        ..
    } = *analysis;
    prompts.check()?;
    model.config().check_head(head)?;
    model.config().check_head(earlier_head)?;
    if head.layer == 0 {
        return Err(Error::new(
            ErrorKind::Request,
            format!("head {head} has no earlier layer to look at"),
        )
        .expected("a destination head in layer 1 or later")
        .advice("Choose a later head: before layer 0 there are only the embeddings."));
    }
    if earlier_head.layer >= head.layer {
        let cause = format!("the earlier head {earlier_head} is not in a layer before the destination head {head}");
        return Err(Error::new(ErrorKind::Request, cause).expected(format!("a layer from 0 to {}", head.layer - 1)));
    }
    // The number of prompts is not known yet.
    let mut intervention = analysis.intervention.iter();
    intervention.try_for_each(|intervention| intervention.check(head, model.config(), usize::MAX))
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzed {
    /// Where the prompts come from.
    pub set: PromptSet,
    /// The prompts, in the order of all values.
    pub prompts: Vec<Prompt>,
    /// The sections of the result.
    pub sections: Vec<Section>,
    /// How long it took.
    pub timing: Timing,
}

#[cfg(test)]
mod tests;
