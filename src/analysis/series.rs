//! The series of the four histograms: substituted vectors, section by section.

use std::collections::BTreeSet;

use crate::analysis::scores::{HeadScores, LinearScore, probability};
use crate::analysis::{BatchValues, LeftOutSeries, Why};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{EffectiveEmbedding, Model, Watcher};
use crate::math;
use crate::names::{Head, HistogramId, SeriesId, Side};
use crate::prompts::ioi::{Batch, Prompt};

/// All series of one batch, in prompt order.
///
/// `scores` is of a pass whose first tap is the earlier head's output at END.
pub(crate) fn batch_values(
    model: &Model,
    scores: &HeadScores<'_>,
    prompts: &[Prompt],
    earlier_head: Head,
    effective: &EffectiveEmbeddings,
) -> Result<BatchValues> {
    let mut collected = Collected::default();
    for (index, prompt) in prompts.iter().enumerate() {
        let io = prompt.positions.io;
        let row = scores.row(index);
        let with_key = LinearScore::new(scores.weights.map_with_key(scores.key(index, io)));
        for (series, vector) in at_end(model, scores, prompt, index, earlier_head)? {
            let score = with_key.substituted(&vector);
            collected.push(Side::Query, series, score, probability(&row, io, score), &vector);
        }
        let with_query = LinearScore::new(scores.weights.map_with_query(scores.query(index)));
        for (series, vector) in at_io(model, scores, prompt, index, effective)? {
            let score = with_query.substituted(&vector);
            collected.push(Side::Key, series, score, probability(&row, io, score), &vector);
        }
        collected.push_true(row[io], probability(&row, io, row[io]));
    }
    Ok(collected.into_values())
}

/// Values of a batch, and what of them is no number.
#[derive(Default)]
struct Collected {
    values: BatchValues,
    left_out: Vec<LeftOutSeries>,
}

impl Collected {
    /// Score and probability of one prompt with `vector` substituted on `side`.
    fn push(&mut self, side: Side, series: SeriesId, score: f32, probability: f32, vector: &[f32]) {
        if math::standard_deviation(vector) == 0.0 {
            self.leave_out(Some(side), &series, Why::Constant);
        } else if !score.is_finite() || !probability.is_finite() {
            self.leave_out(Some(side), &series, Why::Overflow);
        }
        for (histogram, value) in [
            (HistogramId::scores_of(side), score),
            (HistogramId::probs_of(side), probability),
        ] {
            let of_histogram = self.values.series.entry(histogram).or_default();
            of_histogram.entry(series.clone()).or_default().push(value);
        }
    }

    /// The head's own score and probability of one prompt.
    fn push_true(&mut self, score: f32, probability: f32) {
        if !score.is_finite() || !probability.is_finite() {
            self.leave_out(None, &SeriesId::TrueScore, Why::Overflow);
        }
        self.values.true_score.push(score);
        self.values.true_prob.push(probability);
    }

    fn leave_out(&mut self, side: Option<Side>, series: &SeriesId, why: Why) {
        let new = LeftOutSeries {
            side,
            series: series.clone(),
            prompts: 1,
            why,
        };
        LeftOutSeries::add(&mut self.left_out, new);
    }

    fn into_values(self) -> BatchValues {
        let Self { mut values, left_out } = self;
        for LeftOutSeries { side, series, .. } in &left_out {
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

/// What is put in place of the normalised residual stream at END, `[d_model]` each.
fn at_end(
    model: &Model,
    scores: &HeadScores<'_>,
    prompt: &Prompt,
    index: usize,
    earlier_head: Head,
) -> Result<Vec<(SeriesId, Vec<f32>)>> {
    let pass = scores.pass;
    let end = pass.tree.path(index)[prompt.positions.end];
    Ok(vec![
        (SeriesId::WuIo, model.w_u(prompt.io_token)?),
        (SeriesId::WuS, model.w_u(prompt.s_token)?),
        (SeriesId::WuRandomName, model.w_u(prompt.random_name_token)?),
        (SeriesId::WuRandom, model.w_u(prompt.random_token)?),
        (
            SeriesId::EarlierHead(earlier_head),
            pass.captured[EARLIER_HEAD].row(index).to_vec(),
        ),
        (SeriesId::NoPatching, pass.resid_at(end).to_vec()),
    ])
}

/// What is put in place of the normalised residual stream at IO, `[d_model]` each.
fn at_io(
    model: &Model,
    scores: &HeadScores<'_>,
    prompt: &Prompt,
    index: usize,
    effective: &EffectiveEmbeddings,
) -> Result<Vec<(SeriesId, Vec<f32>)>> {
    let pass = scores.pass;
    let (w_ee, w_ee_sub_e) = effective.of(prompt.io_token)?;
    Ok(vec![
        (SeriesId::WeIo, model.w_u(prompt.io_token)?),
        (SeriesId::WeIoTrue, model.w_e(prompt.io_token)?),
        (SeriesId::WeeIo, w_ee),
        (SeriesId::WeeSubEIo, w_ee_sub_e),
        (
            SeriesId::NoPatching,
            pass.resid_at(pass.tree.path(index)[prompt.positions.io]).to_vec(),
        ),
    ])
}

/// Which of the pass's taps is the earlier head's output at END.
const EARLIER_HEAD: usize = 0;

/// The effective embeddings of all indirect objects of a run, each token once.
#[derive(Default)]
pub(crate) struct EffectiveEmbeddings {
    tokens: Vec<u32>,
    embeddings: EffectiveEmbedding,
}

impl EffectiveEmbeddings {
    /// Those of `batches`, whose tokens the model has read.
    pub(crate) async fn read(model: &mut Model, batches: &[Batch], watcher: &dyn Watcher) -> Result<Self> {
        let prompts = batches.iter().flat_map(|batch| &batch.prompts);
        let tokens: BTreeSet<u32> = prompts.map(|prompt| prompt.io_token).collect();
        let tokens: Vec<u32> = tokens.into_iter().collect();
        let embeddings = model.effective_embedding(&tokens, watcher).await?;
        Ok(Self { tokens, embeddings })
    }

    /// W_EE and W_EE_subE of `token`, `[d_model]` each.
    fn of(&self, token: u32) -> Result<(Vec<f32>, Vec<f32>)> {
        let Ok(index) = self.tokens.binary_search(&token) else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("the effective embedding of token {token} was not computed"),
            ));
        };
        let d_model = self.embeddings.mlp_out.len() / self.tokens.len();
        let row = |rows: &[f32]| rows[index * d_model..][..d_model].to_vec();
        Ok((row(&self.embeddings.resid_post), row(&self.embeddings.mlp_out)))
    }
}
