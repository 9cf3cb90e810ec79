//! The whole analysis: prompts, passes, series, contributions.

use std::collections::BTreeMap;

use crate::analysis::contributions::{Ends, tree_to_dest};
use crate::analysis::effective::EffectiveEmbeddings;
use crate::analysis::meter::Meter;
use crate::analysis::scores::HeadScores;
use crate::analysis::series::{batch_values, tokens_of};
use crate::analysis::settings::{MAX_BATCH_SIZE, MAX_BATCHES};
use crate::analysis::{
    Analysis, BatchValues, Contributions, ContributionsSection, LeftOutHeatmap, Observer, Phase, Section,
    SubstitutionSection, Timing,
};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Pass, Request, Tap, Watcher};
use crate::names::{BlockHook, Head, HeatmapId, HookPoint};
use crate::prompts::{Made, Prompt, PromptSet, PromptSource};

/// Runs `analysis` on `model` and tells `observer` of its progress.
///
/// The result depends on the model and `analysis` alone. Batches are computed while weights are read; where all blocks
/// that are needed stay in memory, they finish one after the other, else all of them go through it together, so that every block
/// is read once.
///
/// # Errors
/// [`ErrorKind::Request`] for settings that make no sense for this model, [`ErrorKind::Prompt`] for
/// prompts that do not fit it, [`ErrorKind::Cancelled`] from `observer`, and errors of reading weights.
/// The model stays usable after any of them.
pub async fn analyze(model: &mut Model, analysis: &Analysis, observer: &dyn Observer) -> Result<Analyzed> {
    check(model, analysis)?;
    model.set_processing(analysis.processing);
    let layers = analysis.head.layer;
    let before = model.checkpoint().traffic();
    let meter = Meter::new(observer, Phase::Prompts, analysis.prompts.batches(), layers, before);
    let n_ctx = model.config().n_ctx;
    let made = analysis
        .prompts
        .make(model.tokenizer(), n_ctx, async || meter.breathe().await);
    let Made { batches, set } = made.await?;
    meter.batches(batches.len());
    let mut passes = passes(model, analysis, &batches)?;
    let positions = passes.iter().map(|pass| pass.tree.len()).sum();
    meter.plan(positions, model.bytes_to_read(&passes, layers, Some(layers)));

    let mut schedule = model.begin(&mut passes, layers, &meter).await?;
    let weights = model.head_weights(analysis.head, &meter).await?;
    // The heatmaps are of the first batch.
    let ends = Ends::new(model, &weights, &passes[0].tree, &batches[0], layers)?;
    passes[0].request.taps.extend(ends.taps());
    let mut found = Found {
        effective: EffectiveEmbeddings::read(model, &batches, &meter).await?,
        ..Found::default()
    };
    while let Some(index) = model.advance(&mut schedule, &mut passes, &meter).await? {
        // Taken, so that a finished batch's residual stream is freed.
        let pass = std::mem::replace(&mut passes[index], Pass::new(Default::default(), Request::default()));
        let scores = HeadScores::new(&weights, &pass, batches[index].len())?;
        if index == 0 {
            found.contributions = ends.all(model, &scores, &batches[0])?;
        }
        let values = found.add(model, &scores, analysis.earlier_head, index, &batches[index])?;
        meter.finished_batch(index, pass.tree.len(), values);
        meter.breathe().await?;
    }
    Ok(found.into_result(analysis, (batches, set), &meter))
}

/// Checks the settings against the model.
fn check(model: &Model, analysis: &Analysis) -> Result<()> {
    let Analysis {
        head,
        earlier_head,
        ref prompts,
        ..
    } = *analysis;
    let count = |name: &str, value: usize, most: usize| match (1..=most).contains(&value) {
        true => Ok(()),
        false => {
            let error = Error::new(ErrorKind::Request, format!("{name} is {value}"));
            Err(error.expected(format!("a number from 1 to {most}")))
        }
    };
    if let PromptSource::Ioi(set) = prompts {
        count("the number of batches", set.batches, MAX_BATCHES)?;
        count("the batch size", set.batch_size, MAX_BATCH_SIZE)?;
        if set.seed.checked_add(set.batches as u64).is_none() {
            let cause = format!("the seed {} is too large", set.seed);
            return Err(Error::new(ErrorKind::Request, cause).advice("Choose a smaller seed."));
        }
    }
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
    Ok(())
}

/// A pass for every batch.
fn passes(model: &Model, analysis: &Analysis, batches: &[Vec<Prompt>]) -> Result<Vec<Pass>> {
    let mut passes = Vec::with_capacity(batches.len());
    for prompts in batches {
        let tree = tree_to_dest(model, prompts)?;
        let dest = |(index, prompt): (usize, &Prompt)| Result::Ok(tree.path(index)[prompt.dest()?]);
        let dests = prompts.iter().enumerate().map(dest).collect::<Result<_>>()?;
        let earlier_head = HookPoint::block(analysis.earlier_head.layer, BlockHook::Result);
        let earlier_head = Tap::new(earlier_head, dests).of_head(analysis.earlier_head.head);
        let request = Request {
            taps: vec![earlier_head],
            other_tokens: prompts.iter().flat_map(tokens_of).collect(),
            ..Request::default()
        };
        passes.push(Pass::new(tree, request));
    }
    Ok(passes)
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    /// By number: batches that go through the model together may finish in another order.
    batches: BTreeMap<usize, BatchValues>,
    effective: EffectiveEmbeddings,
    contributions: BTreeMap<HeatmapId, Contributions>,
}

impl Found {
    /// Evaluates the finished pass of batch `index`.
    fn add(
        &mut self,
        model: &Model,
        scores: &HeadScores<'_>,
        earlier_head: Head,
        index: usize,
        prompts: &[Prompt],
    ) -> Result<&BatchValues> {
        let values = batch_values(model, scores, prompts, earlier_head, &self.effective)?;
        Ok(self.batches.entry(index).or_insert(values))
    }

    fn into_result(
        self,
        analysis: &Analysis,
        (batches, set): (Vec<Vec<Prompt>>, PromptSet),
        meter: &Meter<'_>,
    ) -> Analyzed {
        let mut substitution = SubstitutionSection::empty(analysis.head, analysis.earlier_head);
        self.batches.values().for_each(|values| substitution.append(values));
        // Facets are many: their means are enough.
        let mut contributions = ContributionsSection {
            head: analysis.head,
            prompts: batches.first().map_or(0, Vec::len),
            heatmaps: BTreeMap::new(),
            left_out: Vec::new(),
        };
        for (name, of) in self.contributions {
            match of.flaws.first() {
                None => {
                    let heatmap = of.heatmap(name.side(), !name.is_facet());
                    contributions.heatmaps.insert(name, heatmap);
                }
                Some(&why) => contributions.left_out.push(LeftOutHeatmap {
                    heatmap: name,
                    prompts: of.flaws.len(),
                    why,
                }),
            }
        }
        Analyzed {
            set,
            prompts: batches.into_iter().flatten().collect(),
            sections: vec![
                Section::Substitution(substitution),
                Section::Contributions(contributions),
            ],
            timing: meter.timing(),
        }
    }
}

/// What a run found.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzed {
    /// Where the prompts come from.
    pub set: PromptSet,
    /// The prompts, in the order of all values.
    pub prompts: Vec<Prompt>,
    /// What was found in them.
    pub sections: Vec<Section>,
    /// How long it took.
    pub timing: Timing,
}
