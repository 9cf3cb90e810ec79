//! Recurring directions of the head: the contribution of each group of singular directions to the score, and in how
//! many prompts the group is among those that make up most of it.
//!
//! It needs no pass of its own: queries and keys are computed from the residual stream of the run. `section` is the
//! result.

mod section;

use std::collections::BTreeMap;

pub use self::section::{GroupsOverPrompts, RunDirectionsSection};
use self::section::{OfPrompt, group_sizes};
use crate::analysis::analyzer::{Analyzer, FinishedBatch};
use crate::analysis::pair::{QkSvd, ScoreRow};
use crate::analysis::{Analysis, Array, BatchValues};
use crate::error::Result;
use crate::math;
use crate::names::{Head, Relative};

/// The analysis of recurring directions.
pub(crate) struct RunDirectionsAnalyzer {
    head: Head,
    /// The svd of the head, once the first batch is finished.
    svd: Option<QkSvd>,
    /// By batch number, because batches may finish in any order: values for the score and for the relative score.
    batches: BTreeMap<usize, [Vec<OfPrompt>; 2]>,
}

impl Analyzer for RunDirectionsAnalyzer {
    type Section = RunDirectionsSection;

    fn new(analysis: &Analysis) -> Self {
        Self {
            head: analysis.head,
            svd: None,
            batches: BTreeMap::new(),
        }
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        let scores = batch.scores()?;
        let svd = self.svd.get_or_insert_with(|| QkSvd::new(scores.weights));
        let mut found = [Vec::new(), Vec::new()];
        for (number, prompt) in batch.prompts.iter().enumerate() {
            let path = scores.tree.path(number).iter();
            let resid: Vec<f32> = path.flat_map(|&row| scores.resid_at(row)).copied().collect();
            let (normalized, _) = scores.weights.normalize(&resid);
            let of_row = ScoreRow {
                weights: scores.weights,
                normalized: &normalized,
                scores: &scores.row(number),
                src: prompt.src()?,
            };
            for (found, relative) in found.iter_mut().zip([None, Some(Relative::Attention)]) {
                let directions = of_row.directions(svd, relative)?;
                let all = math::sum(&directions.contributions) + math::sum(&directions.biases);
                found.push(OfPrompt {
                    groups: directions.of_groups(),
                    explaining: directions.explaining_groups(),
                    biases: directions.biases,
                    score: directions.score,
                    residual: (all - f64::from(directions.score)).abs() as f32,
                });
            }
        }
        self.batches.insert(batch.index, found);
        Ok(None)
    }

    fn finish(self) -> Option<RunDirectionsSection> {
        let svd = self.svd?;
        let [mut score, mut relative] = [Vec::new(), Vec::new()];
        for [of_score, of_relative] in self.batches.into_values() {
            score.extend(of_score);
            relative.extend(of_relative);
        }
        let groups = group_sizes(&svd);
        let section = RunDirectionsSection {
            head: self.head,
            prompts: score.len(),
            values: Array::vector(svd.values().iter().map(|&value| value as f32).collect()),
            score: GroupsOverPrompts::new(&score, groups.len()),
            relative: GroupsOverPrompts::new(&relative, groups.len()),
            groups,
        };
        // Weights beyond f32's range give no meaningful result.
        section.is_finite().then_some(section)
    }
}
