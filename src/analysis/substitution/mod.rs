//! Scores and probabilities with vectors of known meaning as the head's input: the histograms.
//!
//! `vectors` lists the vectors; `series` computes the score with each of them, in every prompt or in one sentence.

mod section;
mod series;
mod vectors;

use std::collections::BTreeMap;

pub use self::section::{Series, Sides, SubstitutionSection};
use self::series::batch_values;
pub(crate) use self::series::tokens_of;
pub(crate) use self::series::values_at;
pub(crate) use self::vectors::{AtPrompt, Drawn, OTHER, vector_of};
use crate::analysis::analyzer::{Analyzer, FinishedBatch, Needs, UpcomingBatch};
use crate::analysis::{Analysis, BatchValues};
use crate::error::Result;
use crate::forward::Tap;
use crate::names::{BlockHook, Head, HookPoint, Normalization};
use crate::prompts::Prompt;

/// The analysis behind the histograms.
pub(crate) struct SubstitutionAnalyzer {
    head: Head,
    earlier_head: Head,
    normalization: Normalization,
    /// By batch number, because batches may finish in any order.
    batches: BTreeMap<usize, BatchValues>,
}

impl Analyzer for SubstitutionAnalyzer {
    type Section = SubstitutionSection;

    fn new(analysis: &Analysis) -> Self {
        Self {
            head: analysis.head,
            earlier_head: analysis.earlier_head,
            normalization: analysis.normalization,
            batches: BTreeMap::new(),
        }
    }

    fn needs(&self, prompt: &Prompt) -> Result<Needs> {
        Ok(Needs {
            tokens: tokens_of(prompt),
            effective: vec![prompt.src_token()?],
        })
    }

    /// The earlier head's output at the destination.
    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        let dest = |(index, prompt): (usize, &Prompt)| Result::Ok(batch.tree.path(index)[prompt.dest()?]);
        let dests = batch.prompts.iter().enumerate().map(dest).collect::<Result<_>>()?;
        let output = HookPoint::block(self.earlier_head.layer, BlockHook::Result);
        Ok(vec![Tap::new(output, dests).of_head(self.earlier_head.head)])
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        let values = batch_values(batch, (self.earlier_head, self.normalization))?;
        Ok(Some(self.batches.entry(batch.index).or_insert(values)))
    }

    fn finish(self) -> Option<SubstitutionSection> {
        let mut section = SubstitutionSection::empty(self.head, self.earlier_head, self.normalization);
        self.batches.values().for_each(|values| section.append(values));
        Some(section)
    }
}
