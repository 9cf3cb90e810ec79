//! The series of the four histograms, and those of a single sentence: scores and probabilities with each substituted
//! vector.

use super::vectors::{AtPrompt, Drawn, VECTORS};
use crate::analysis::analyzer::FinishedBatch;
use crate::analysis::scores::{LinearScore, probability};
use crate::analysis::{BatchValues, OmissionReason, OmittedSeries};
use crate::error::Result;
use crate::math;
use crate::names::{Head, HistogramId, Normalization, SeriesId, Side};
use crate::prompts::Prompt;

/// All series of one batch, in prompt order.
///
/// The first tap of the batch must be the earlier head's output at the destination.
pub(super) fn batch_values(
    batch: &FinishedBatch<'_>,
    (earlier_head, normalization): (Head, Normalization),
) -> Result<BatchValues> {
    let scores = batch.scores()?;
    let mut collected = Collected::default();
    let output = &batch.captured[EARLIER_HEAD];
    for (index, prompt) in batch.prompts.iter().enumerate() {
        let drawn: Drawn<'_> = prompt
            .drawn
            .iter()
            .map(|(what, token)| (what.as_str(), vec![*token]))
            .collect();
        collected.take(&AtPrompt {
            model: batch.model,
            effective: batch.effective,
            scores,
            prompt,
            index,
            earlier_head: Some((earlier_head, output.row(index))),
            drawn: &drawn,
            normalization,
        })?;
    }
    Ok(collected.into_values())
}

/// The series of one prompt: one value each, or one for each sampled token.
pub(crate) fn values_at(at: &AtPrompt<'_>) -> Result<BatchValues> {
    let mut collected = Collected::default();
    collected.take(at)?;
    Ok(collected.into_values())
}

/// Index of the tap with the earlier head's output at the destination.
const EARLIER_HEAD: usize = 0;

/// The tokens whose rows of W_U and W_E the series of `prompt` need.
pub(crate) fn tokens_of(prompt: &Prompt) -> Vec<u32> {
    let src = prompt.src_token().ok();
    let targets = [src, prompt.targets.a, prompt.targets.b];
    targets
        .into_iter()
        .flatten()
        .chain(prompt.drawn.values().copied())
        .collect()
}

/// Values of a batch, and the omitted series.
#[derive(Default)]
struct Collected {
    values: BatchValues,
    left_out: Vec<OmittedSeries>,
}

impl Collected {
    /// Adds all series of one prompt, and the head's own score and probability.
    fn take(&mut self, at: &AtPrompt<'_>) -> Result<()> {
        let (scores, src) = (at.scores, at.prompt.src()?);
        let row = scores.row(at.index);
        let with_key = LinearScore::new(scores.weights.map_with_key(scores.key(at.index, src)));
        let with_query = LinearScore::new(scores.weights.map_with_query(scores.query(at.index)));
        for vector in VECTORS {
            let Some((series, vectors)) = (vector.compute)(at)? else {
                continue;
            };
            let linear = match vector.side {
                Side::Query => &with_key,
                Side::Key => &with_query,
            };
            for values in vectors {
                let score = linear.substituted(scores.weights, &values, at.normalization);
                self.push(
                    vector.side,
                    series.clone(),
                    score,
                    probability(&row, src, score),
                    &values,
                );
            }
        }
        self.push_true(row[src], probability(&row, src, row[src]));
        Ok(())
    }

    /// Adds score and probability of one prompt with `vector` substituted on `side`.
    fn push(&mut self, side: Side, series: SeriesId, score: f32, probability: f32, vector: &[f32]) {
        if math::standard_deviation(vector) == 0.0 {
            self.leave_out(Some(side), &series, OmissionReason::Constant);
        } else if !score.is_finite() || !probability.is_finite() {
            self.leave_out(Some(side), &series, OmissionReason::Overflow);
        }
        for (histogram, value) in [
            (HistogramId::scores_of(side), score),
            (HistogramId::probs_of(side), probability),
        ] {
            let of_histogram = self.values.series.entry(histogram).or_default();
            of_histogram.entry(series.clone()).or_default().push(value);
        }
    }

    /// Adds the head's own score and probability of one prompt.
    fn push_true(&mut self, score: f32, probability: f32) {
        if !score.is_finite() || !probability.is_finite() {
            self.leave_out(None, &SeriesId::TrueScore, OmissionReason::Overflow);
        }
        self.values.true_score.push(score);
        self.values.true_prob.push(probability);
    }

    fn leave_out(&mut self, side: Option<Side>, series: &SeriesId, why: OmissionReason) {
        let new = OmittedSeries {
            side,
            series: series.clone(),
            prompts: 1,
            why,
        };
        OmittedSeries::add(&mut self.left_out, new);
    }

    fn into_values(self) -> BatchValues {
        let Self { mut values, left_out } = self;
        for OmittedSeries { side, series, .. } in &left_out {
            let Some(side) = *side else {
                (values.true_score, values.true_prob) = (Vec::new(), Vec::new());
                continue;
            };
            for histogram in [HistogramId::scores_of(side), HistogramId::probs_of(side)] {
                if let Some(of_histogram) = values.series.get_mut(&histogram) {
                    of_histogram.remove(series);
                }
            }
        }
        values.left_out = left_out;
        values
    }
}
