//! The series of the four histograms: substituted vectors, section by section.

use crate::analysis::BatchValues;
use crate::analysis::scores::{HeadScores, LinearScore, probability};
use crate::error::Result;
use crate::forward::Model;
use crate::names::{Head, HistogramId, SeriesId, Side};
use crate::prompts::ioi::Prompt;

/// All series of one batch, in prompt order.
///
/// `scores` is of a pass whose request asked for the earlier head's output at END and for the
/// indirect objects through layer 0 alone.
pub(crate) fn batch_values(
    model: &Model,
    scores: &HeadScores<'_>,
    prompts: &[Prompt],
    earlier_head: Head,
) -> Result<BatchValues> {
    let mut values = BatchValues::default();
    for (index, prompt) in prompts.iter().enumerate() {
        let io = prompt.positions.io;
        let row = scores.row(index);
        let mut push = |side: Side, series: SeriesId, score: f32| {
            let mut append = |histogram, value| {
                let of_histogram = values.series.entry(histogram).or_default();
                of_histogram.entry(series.clone()).or_default().push(value);
            };
            append(HistogramId::scores_of(side), score);
            append(HistogramId::probs_of(side), probability(&row, io, score));
        };
        let with_key = LinearScore::new(scores.weights.map_with_key(scores.key(index, io)));
        for (series, vector) in at_end(model, scores, prompt, index, earlier_head)? {
            push(Side::Query, series, with_key.substituted(&vector));
        }
        let with_query = LinearScore::new(scores.weights.map_with_query(scores.query(index)));
        for (series, vector) in at_io(model, scores, prompt, index)? {
            push(Side::Key, series, with_query.substituted(&vector));
        }
        values.true_score.push(row[io]);
        values.true_prob.push(probability(&row, io, row[io]));
    }
    Ok(values)
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
            nth(model, &pass.captured.head_output, index),
        ),
        (SeriesId::NoPatching, pass.resid_at(end).to_vec()),
    ])
}

/// What is put in place of the normalised residual stream at IO, `[d_model]` each.
fn at_io(model: &Model, scores: &HeadScores<'_>, prompt: &Prompt, index: usize) -> Result<Vec<(SeriesId, Vec<f32>)>> {
    let pass = scores.pass;
    let alone = &pass.captured.layer_0_alone;
    Ok(vec![
        (SeriesId::WeIo, model.w_u(prompt.io_token)?),
        (SeriesId::WeIoTrue, model.w_e(prompt.io_token)?),
        (SeriesId::WeeIo, nth(model, &alone.resid_post, index)),
        (SeriesId::WeeSubEIo, nth(model, &alone.mlp_out, index)),
        (
            SeriesId::NoPatching,
            pass.resid_at(pass.tree.path(index)[prompt.positions.io]).to_vec(),
        ),
    ])
}

/// Row `index` of `rows [.., d_model]`.
fn nth(model: &Model, rows: &[f32], index: usize) -> Vec<f32> {
    let d_model = model.config().d_model;
    rows[index * d_model..][..d_model].to_vec()
}
