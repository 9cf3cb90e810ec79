//! The rows of a shard.

use serde::{Deserialize, Serialize};

use super::plan::{Kind, Shard, Sweep, SweptMaker};
use crate::analysis::ScoresOfHeads;
use crate::error::{Error, ErrorKind, Result};
use crate::names::Head;

/// The values of one head on a set of prompts, or on one prompt. One line of JSON each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// The model's folder or URL.
    pub model: String,
    /// The revision on the hub.
    pub revision: Option<String>,
    /// The head.
    pub head: Head,
    /// Name of the set of prompts.
    pub prompts: String,
    /// The seed, if it is drawn.
    pub seed: Option<u64>,
    /// The prompt's index; None for the whole set.
    pub prompt: Option<usize>,
    /// Number of prompts.
    pub count: usize,
    /// Batch size of drawn prompts: with seed and index, a prompt can be drawn again.
    #[serde(default)]
    pub batch_size: Option<usize>,
    /// Whether prompts begin with BOS.
    #[serde(default)]
    pub prepend_bos: bool,
    /// Attention score from the destination to the source, or its mean. None where it is not finite.
    pub score: Option<f64>,
    /// Sample standard deviation of the scores (divisor `n - 1`). None for a single prompt.
    pub score_sd: Option<f64>,
    /// Attention probability, from 0 to 1, or its mean. None where it is not finite.
    pub prob: Option<f64>,
    /// Sample standard deviation of the probabilities. None for a single prompt.
    pub prob_sd: Option<f64>,
    /// Share of the prompts in which the source gets the most attention of all positions.
    pub largest: f64,
}

/// The rows of `shard` of `sweep`: head by head, prompt by prompt.
pub fn rows_of(sweep: &Sweep, shard: &Shard, found: &ScoresOfHeads) -> Vec<SweepRow> {
    let (model, set, count) = (
        &sweep.models[shard.model],
        &sweep.prompts[shard.prompts],
        found.prompts.len(),
    );
    let row = |head: Head, prompt: Option<usize>, scores: &[f32], probabilities: &[f32], is_largest: &[bool]| {
        let [score, prob] = [scores, probabilities].map(mean);
        let [score_sd, prob_sd] = [scores, probabilities].map(deviation);
        SweepRow {
            model: model.model.clone(),
            revision: model.revision.clone(),
            head,
            prompts: set.name.clone(),
            seed: shard.seed,
            prompt,
            count: scores.len(),
            batch_size: match set.maker {
                SweptMaker::Ioi { batch_size, .. } => Some(batch_size),
                SweptMaker::Text { .. } => None,
            },
            prepend_bos: sweep.prepend_bos,
            score,
            score_sd,
            prob,
            prob_sd,
            largest: is_largest.iter().filter(|is| **is).count() as f64 / scores.len().max(1) as f64,
        }
    };
    let mut rows = Vec::new();
    for (index, head) in found.heads.iter().enumerate() {
        let (scores, probabilities) = (
            values_of(found.scores.row(index)),
            values_of(found.probabilities.row(index)),
        );
        let is_largest = &found.is_largest[index * count..(index + 1) * count];
        match sweep.rows {
            Kind::Sets => rows.push(row(*head, None, scores, probabilities, is_largest)),
            Kind::Prompts => rows.extend((0..count).map(|prompt| {
                let one = prompt..prompt + 1;
                let values = (&scores[one.clone()], &probabilities[one.clone()]);
                row(*head, Some(prompt), values.0, values.1, &is_largest[one])
            })),
        }
    }
    rows
}

fn values_of(row: Option<&[f32]>) -> &[f32] {
    row.unwrap_or_default()
}

/// `rows` as JSON, a line each.
///
/// # Errors
/// [`ErrorKind::Internal`] where one can't be written.
pub fn lines(rows: &[SweepRow]) -> Result<String> {
    let mut text = String::new();
    for row in rows {
        let line = serde_json::to_string(row)
            .map_err(|cause| Error::new(ErrorKind::Internal, format!("a row can't be written ({cause})")))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// The mean; a single value is not converted to f64 digits, but written in single precision.
fn mean(values: &[f32]) -> Option<f64> {
    let mean = match values {
        [one] => one.to_string().parse().ok()?,
        _ => values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64,
    };
    Some(mean).filter(|mean: &f64| mean.is_finite())
}

/// Sample standard deviation.
fn deviation(values: &[f32]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares = values
        .iter()
        .map(|value| (f64::from(*value) - mean).powi(2))
        .sum::<f64>();
    Some((squares / (values.len() - 1) as f64).sqrt()).filter(|deviation| deviation.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_are_those_of_samples() {
        assert_eq!(mean(&[0.1]), Some(0.1));
        assert_eq!(deviation(&[0.1]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(deviation(&[1.0, 2.0, 6.0]), Some(7f64.sqrt()));
        assert_eq!(mean(&[1.0, f32::NAN]), None);
        assert_eq!(mean(&[f32::INFINITY]), None);
        assert_eq!(mean(&[]), None);
    }
}
