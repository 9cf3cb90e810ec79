//! Contributions of the components of the residual stream to the score from the destination to the source (on IOI
//! prompts: END to IO): the heatmaps.
//!
//! `components` captures the parts of the residual stream; `table` is the data of one heatmap; `score_side` is the query or the key
//! of one prompt; `variants` combines both into heatmaps; `captured_components` lists the taps.

mod captured_components;
mod components;
mod heatmap;
mod score_side;
mod table;
mod variants;

use std::collections::BTreeMap;

use self::captured_components::CapturedComponents;
pub(super) use self::components::{Components, Direction};
pub use self::heatmap::{ContributionsSection, Heatmap};
pub use self::table::Contributions;
use crate::analysis::analyzer::{Analyzer, FinishedBatch, Needs, UpcomingBatch};
use crate::analysis::scores::HeadScores;
use crate::analysis::tree::tree_to_dest;
use crate::analysis::{Analysis, BatchValues, OmittedHeatmap};
use crate::error::Result;
use crate::forward::{Model, Monitor, Pass, Request, Tap};
use crate::names::{Head, HeatmapId, Normalization};
use crate::prompts::Prompt;

/// The analysis behind the heatmaps. It uses the first batch only.
pub(crate) struct ContributionsAnalyzer {
    head: Head,
    normalization: Normalization,
    /// Set while the first batch is being computed.
    captured: Option<CapturedComponents>,
    /// Number of prompts of the first batch.
    prompts: usize,
    found: BTreeMap<HeatmapId, Contributions>,
}

impl Analyzer for ContributionsAnalyzer {
    type Section = ContributionsSection;

    fn new(analysis: &Analysis) -> Self {
        Self {
            head: analysis.head,
            normalization: analysis.normalization,
            captured: None,
            prompts: 0,
            found: BTreeMap::new(),
        }
    }

    fn needs(&self, prompt: &Prompt) -> Result<Needs> {
        Ok(Needs {
            tokens: vec![prompt.src_token()?],
            ..Needs::default()
        })
    }

    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        if batch.index > 0 {
            return Ok(Vec::new());
        }
        let captured = CapturedComponents::new(batch.model, batch.weights, batch.tree, batch.prompts, self.head.layer)?;
        let taps = captured.taps();
        self.captured = Some(captured);
        Ok(taps)
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        if let Some(captured) = self.captured.take_if(|_| batch.index == 0) {
            self.prompts = batch.prompts.len();
            self.found = captured.all(batch.model, batch.scores()?, (batch.prompts, self.normalization))?;
        }
        Ok(None)
    }

    fn finish(self) -> Option<ContributionsSection> {
        let mut section = ContributionsSection {
            head: self.head,
            prompts: self.prompts,
            heatmaps: BTreeMap::new(),
            left_out: Vec::new(),
        };
        for (name, contributions) in self.found {
            match contributions.flaws.first() {
                None => {
                    // For facets, means are enough: there are many of them.
                    let heatmap = contributions.heatmap(name.side(), !name.is_facet());
                    section.heatmaps.insert(name, heatmap);
                }
                Some(&why) => section.left_out.push(OmittedHeatmap {
                    heatmap: name,
                    prompts: contributions.flaws.len(),
                    why,
                }),
            }
        }
        Some(section)
    }
}

/// Contributions to the scores of `head` from destination to source in `prompts`, prompt by prompt, under the names of
/// the heatmaps: "key", "key_subWU", ..., "query_split/q par k par". For a head in layer 0 there are no variants with
/// MLP 0; variants that subtract the score of S1 exist if all prompts have such a position. Vectors that replace a
/// query or a key are normalized as the notebook does it.
///
/// # Errors
/// [`crate::ErrorKind::Request`] where the head does not exist, [`crate::ErrorKind::Prompt`] where a prompt does not
/// fit the context, read errors, and those of `monitor`.
pub async fn contributions(
    model: &mut Model,
    prompts: &[Prompt],
    head: Head,
    monitor: &dyn Monitor,
) -> Result<BTreeMap<HeatmapId, Contributions>> {
    model.config().check_head(head)?;
    let request = Request {
        other_tokens: prompts.iter().map(Prompt::src_token).collect::<Result<_>>()?,
        ..Request::default()
    };
    let mut passes = [Pass::new(tree_to_dest(model, prompts)?, request)];
    let mut schedule = model.begin(&mut passes, head.layer, monitor).await?;
    let weights = model.head_weights(head, monitor).await?;
    let captured = CapturedComponents::new(model, &weights, &passes[0].tree, prompts, head.layer)?;
    passes[0].request.taps.extend(captured.taps());
    while model.advance(&mut schedule, &mut passes, monitor).await?.is_some() {}
    let scores = HeadScores::new(&weights, &passes[0].tree, &passes[0].resid, prompts.len())?;
    captured.all(model, &scores, (prompts, Normalization::Notebook))
}
