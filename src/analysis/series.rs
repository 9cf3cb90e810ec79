//! The series of the four histograms: substituted vectors, section by section.

use std::collections::BTreeSet;

use crate::analysis::BatchValues;
use crate::analysis::scores::{HeadScores, LinearScore, probability};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{EffectiveEmbedding, Model, Watcher};
use crate::names::Head;
use crate::prompts::ioi::{Batch, Prompt};

/// Name in [`BatchValues`] of the true values, which are no plot: its series are `true_score` and `true_prob`.
pub const TRUE_VALUES: &str = "true";

/// W_U of the indirect object in place of the normalised residual stream at END.
pub const W_U_IO: &str = "W_U[IO]";
/// W_U of the subject at END.
pub const W_U_S: &str = "W_U[S]";
/// W_U of a drawn name at END.
pub const W_U_RANDOM_NAME: &str = "W_U[random name]";
/// W_U of a drawn token at END.
pub const W_U_RANDOM: &str = "W_U[random]";
/// The residual stream itself, divided by its unbiased standard deviation like all the others.
pub const NO_PATCHING: &str = "No patching";
/// At IO: what the notebook calls W_E, the processed W_U of the indirect object.
pub const W_E_IO: &str = "W_E[IO]";
/// At IO: the processed embedding of the indirect object.
pub const W_E_IO_TRUE: &str = "W_E[IO] (true embedding)";
/// At IO: the embedding through layer 0 alone.
pub const W_EE_IO: &str = "W_EE[IO]";
/// At IO: the output of layer 0's MLP alone.
pub const W_EE_SUB_E_IO: &str = "W_EE_subE[IO]";

/// Label of the series with the output of `earlier_head` at END: "NMH 9.9 output".
pub fn earlier_head_label(earlier_head: Head) -> String {
    format!("NMH {earlier_head} output")
}

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
    let mut values = Values(BatchValues::new());
    for (index, prompt) in prompts.iter().enumerate() {
        let io = prompt.positions.io;
        let row = scores.row(index);
        let with_key = LinearScore::new(scores.weights.map_with_key(scores.key(index, io)));
        for (label, vector) in at_end(model, scores, prompt, index, earlier_head)? {
            values.push("keys_fixed", &label, &row, io, with_key.substituted(&vector));
        }
        let with_query = LinearScore::new(scores.weights.map_with_query(scores.query(index)));
        for (label, vector) in at_io(model, scores, prompt, index, effective)? {
            values.push("queries_fixed", label, &row, io, with_query.substituted(&vector));
        }
        values.append(TRUE_VALUES, "true_score", row[io]);
        values.append(TRUE_VALUES, "true_prob", probability(&row, io, row[io]));
    }
    Ok(values.0)
}

/// What is put in place of the normalised residual stream at END, `[d_model]` each.
fn at_end(
    model: &Model,
    scores: &HeadScores<'_>,
    prompt: &Prompt,
    index: usize,
    earlier_head: Head,
) -> Result<Vec<(String, Vec<f32>)>> {
    let pass = scores.pass;
    let end = pass.tree.path(index)[prompt.positions.end];
    Ok(vec![
        (W_U_IO.to_owned(), model.w_u(prompt.io_token)?),
        (W_U_S.to_owned(), model.w_u(prompt.s_token)?),
        (W_U_RANDOM_NAME.to_owned(), model.w_u(prompt.random_name_token)?),
        (W_U_RANDOM.to_owned(), model.w_u(prompt.random_token)?),
        (
            earlier_head_label(earlier_head),
            pass.captured[EARLIER_HEAD].row(index).to_vec(),
        ),
        (NO_PATCHING.to_owned(), pass.resid_at(end).to_vec()),
    ])
}

/// What is put in place of the normalised residual stream at IO, `[d_model]` each.
fn at_io(
    model: &Model,
    scores: &HeadScores<'_>,
    prompt: &Prompt,
    index: usize,
    effective: &EffectiveEmbeddings,
) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let pass = scores.pass;
    let (w_ee, w_ee_sub_e) = effective.of(prompt.io_token)?;
    Ok(vec![
        (W_E_IO, model.w_u(prompt.io_token)?),
        (W_E_IO_TRUE, model.w_e(prompt.io_token)?),
        (W_EE_IO, w_ee),
        (W_EE_SUB_E_IO, w_ee_sub_e),
        (
            NO_PATCHING,
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

/// Values under construction.
struct Values(BatchValues);

impl Values {
    /// Adds `score`, and the probability that it gives `position` in `row`, to a series of `family`.
    fn push(&mut self, family: &str, label: &str, row: &[f32], position: usize, score: f32) {
        self.append(&format!("{family}_scores"), label, score);
        self.append(&format!("{family}_probs"), label, probability(row, position, score));
    }

    fn append(&mut self, plot: &str, label: &str, value: f32) {
        self.0
            .entry(plot.to_owned())
            .or_default()
            .entry(label.to_owned())
            .or_default()
            .push(value);
    }
}
