//! W_E, W_pos, ln_f and W_U: embedding and unembedding. Only the rows that are needed are held in memory.

mod unembed;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind, Result};
use crate::forward::loader::Loader;
use crate::math;
use crate::model::layer_norm::Affine;
use crate::model::tensors::{LN_F_BIAS, LN_F_WEIGHT, TensorRow, WPE, WTE};
use crate::model::{Checkpoint, Config, Processing};

/// Up to this many rows are read one by one. More of them would take as many requests as streaming the whole matrix
/// takes time.
const FEW_ROWS: usize = 256;
/// Number of tokens whose logits are computed at a time.
const ROWS_AT_A_TIME: usize = 1024;

/// Embedding and unembedding.
///
/// `wte` is the largest tensor of a model, and a run needs a few hundred of its rows. So it is streamed, and the rows
/// of `tokens` and the mean over the vocabulary are taken from the stream. Rows are held unprocessed, as in the file;
/// processed rows are derived on request.
pub(crate) struct Embedding {
    processing: Processing,
    d_model: usize,
    d_vocab: usize,
    eps: f64,
    /// Rows of `wte` by token, `[d_model]` each.
    w_e: BTreeMap<u32, Vec<f32>>,
    /// Rows of `lm_head`, if the checkpoint has one; otherwise W_U is `wte`.
    w_u: Option<BTreeMap<u32, Vec<f32>>>,
    /// `[n_ctx, d_model]`.
    wpe: Vec<f32>,
    ln_f: Affine,
    /// Mean over the vocabulary of the unprocessed rows of W_U's source (`lm_head` or `wte`), `[d_model]`.
    source_mean: Vec<f64>,
    /// Mean over the vocabulary of W_U's rows before `center_unembed`, `[d_model]`, and of b_U.
    vocabulary_mean: (Vec<f64>, f64),
}

/// The matrices whose rows are read by streaming: W_E, and W_U's source where it is another one.
fn matrices(checkpoint: &Checkpoint) -> Vec<TensorRow> {
    let other = Some(checkpoint.unembedding()).filter(|matrix| matrix.name() != WTE.name());
    [WTE].into_iter().chain(other).collect()
}

/// The tensors that [`Embedding`] is made of.
pub(crate) fn tensors(checkpoint: &Checkpoint) -> Vec<TensorRow> {
    let mut tensors = matrices(checkpoint);
    tensors.extend([WPE, LN_F_WEIGHT, LN_F_BIAS]);
    tensors
}

impl Embedding {
    /// Reads embedding and unembedding, with the rows of `tokens`.
    pub(crate) async fn load(loader: Loader<'_>, processing: Processing, tokens: &BTreeSet<u32>) -> Result<Self> {
        let config = loader.config();
        let wanted = [WPE, LN_F_WEIGHT, LN_F_BIAS].map(|tensor| tensor.spec(config));
        let mut tensors = loader.tensors(&wanted).await?;
        let (w_e, mut source_mean) = read_rows(loader, WTE, tokens).await?;
        let mut w_u = None;
        if loader.unembedding().name() != WTE.name() {
            let (rows, mean) = read_rows(loader, loader.unembedding(), tokens).await?;
            (w_u, source_mean) = (Some(rows), mean);
        }
        let mut embedding = Self {
            processing,
            d_model: config.d_model,
            d_vocab: config.d_vocab,
            eps: config.layer_norm_epsilon,
            w_e,
            w_u,
            wpe: tensors.take(WPE.name())?,
            ln_f: tensors.affine(LN_F_WEIGHT.name(), LN_F_BIAS.name())?,
            source_mean,
            vocabulary_mean: (Vec::new(), 0.0),
        };
        embedding.set_processing(processing);
        Ok(embedding)
    }

    /// Reads the rows of those `tokens` that are missing.
    pub(crate) async fn add(&mut self, loader: Loader<'_>, tokens: &BTreeSet<u32>) -> Result<()> {
        let missing = self.missing(tokens);
        if missing.is_empty() {
            return Ok(());
        }
        self.w_e.extend(read_missing(loader, WTE, &missing).await?);
        if let Some(w_u) = &mut self.w_u {
            w_u.extend(read_missing(loader, loader.unembedding(), &missing).await?);
        }
        Ok(())
    }

    /// Bytes of `checkpoint` that have to be read for the rows of `tokens`.
    pub(crate) fn bytes_to_read(&self, checkpoint: &Checkpoint, tokens: &BTreeSet<u32>) -> u64 {
        let missing = self.missing(tokens).len();
        let sizes = matrices(checkpoint).into_iter();
        let whole: u64 = sizes
            .map(|matrix| checkpoint.weights().size_in_bytes(matrix.name()))
            .sum();
        match missing {
            0..=FEW_ROWS => whole / self.d_vocab.max(1) as u64 * missing as u64,
            _ => whole,
        }
    }

    /// Those of `tokens` whose rows are missing, without tokens beyond the vocabulary.
    fn missing(&self, tokens: &BTreeSet<u32>) -> BTreeSet<u32> {
        let is_missing = |token: &u32| (*token as usize) < self.d_vocab && !self.w_e.contains_key(token);
        tokens.iter().copied().filter(is_missing).collect()
    }

    /// Changes the processing. The held rows are unprocessed and stay valid.
    pub(crate) fn set_processing(&mut self, processing: Processing) {
        self.processing = processing;
        let mut mean = self.source_mean.clone();
        let b_u = self.raw_b_u(&mean);
        self.fold_into_w_u(&mut mean);
        self.vocabulary_mean = (mean, b_u);
    }

    /// W_E of `token`, `[d_model]`.
    pub(crate) fn w_e(&self, token: u32) -> Result<Vec<f32>> {
        let mut row = self.row(&self.w_e, token)?.to_vec();
        self.process_w_e(&mut row);
        Ok(row)
    }

    /// Processes a row of `wte`.
    fn process_w_e(&self, row: &mut [f32]) {
        if self.processing.center_writing_weights {
            math::center(row);
        }
    }

    /// W_pos of `position`, `[d_model]`.
    pub(crate) fn w_pos(&self, position: usize) -> Result<Vec<f32>> {
        let start = position * self.d_model;
        let row = self.wpe.get(start..start + self.d_model);
        let mut row = row
            .ok_or_else(|| self.no_row("W_pos", position, self.wpe.len() / self.d_model))?
            .to_vec();
        if self.processing.center_writing_weights {
            math::center(&mut row);
        }
        Ok(row)
    }

    /// The column of W_U for `token`, `[d_model]`.
    pub(crate) fn w_u(&self, token: u32) -> Result<Vec<f32>> {
        let row = self.processed_w_u(self.w_u_row(token)?);
        Ok(row.into_iter().map(|v| v as f32).collect())
    }

    /// Processes a row of W_U's source into a column of W_U.
    fn processed_w_u(&self, row: &[f32]) -> Vec<f64> {
        let mut row = wide(row);
        self.fold_into_w_u(&mut row);
        if self.processing.center_unembed {
            row.iter_mut()
                .zip(&self.vocabulary_mean.0)
                .for_each(|(v, mean)| *v -= mean);
        }
        row
    }

    /// How much a unit of each component of the final normalized residual stream adds to the logit of `token`, relative
    /// to the mean over the vocabulary, `[d_model]`: W_U with ln_f folded in and both centered. The same under every
    /// weight processing.
    pub(crate) fn logit_direction(&self, token: u32) -> Result<Vec<f64>> {
        let mut row = wide(self.w_u_row(token)?);
        row.iter_mut().zip(&self.source_mean).for_each(|(v, mean)| *v -= mean);
        self.fold(&mut row);
        Ok(row)
    }

    /// How much ln_f's bias adds to the logit of `token`, relative to the mean over the vocabulary. The same under
    /// every weight processing.
    pub(crate) fn logit_bias(&self, token: u32) -> Result<f64> {
        let mut row = wide(self.w_u_row(token)?);
        row.iter_mut().zip(&self.source_mean).for_each(|(v, mean)| *v -= mean);
        Ok(math::dot_wide(&row, &self.ln_f.bias))
    }

    /// b_U of `token`.
    pub(crate) fn b_u(&self, token: u32) -> Result<f32> {
        let bias = self.raw_b_u(&wide(self.w_u_row(token)?));
        let mean = if self.processing.center_unembed {
            self.vocabulary_mean.1
        } else {
            0.0
        };
        Ok((bias - mean) as f32)
    }

    /// Multiplies a row of W_U's source by ln_f's weight, then centers it over `d_model`.
    fn fold(&self, row: &mut [f64]) {
        for (v, w) in row.iter_mut().zip(&self.ln_f.weight) {
            *v *= f64::from(*w);
        }
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        row.iter_mut().for_each(|v| *v -= mean);
    }

    /// `fold_ln` of b_U: the product of a row of W_U's source and ln_f's bias.
    fn raw_b_u(&self, row: &[f64]) -> f64 {
        if self.processing.fold_ln {
            math::dot_wide(row, &self.ln_f.bias)
        } else {
            0.0
        }
    }

    fn w_u_row(&self, token: u32) -> Result<&[f32]> {
        self.row(self.w_u.as_ref().unwrap_or(&self.w_e), token)
    }

    fn row<'r>(&self, rows: &'r BTreeMap<u32, Vec<f32>>, token: u32) -> Result<&'r [f32]> {
        let row = rows.get(&token).map(Vec::as_slice);
        row.ok_or_else(|| self.no_row("an embedding", token as usize, self.d_vocab))
    }

    fn no_row(&self, matrix: &str, index: usize, rows: usize) -> Error {
        if index < rows {
            let cause = format!("row {index} of {matrix} was used before it was read");
            return Error::new(ErrorKind::Internal, cause);
        }
        Error::new(ErrorKind::Prompt, format!("a prompt needs row {index} of {matrix}"))
            .expected(format!("an index below {rows}"))
            .advice("Check that tokenizer.json belongs to this model, and that the prompt fits its context.")
    }
}

/// `row` in f64, so that removing an offset that all rows share leaves no rounding error.
fn wide(row: &[f32]) -> Vec<f64> {
    row.iter().copied().map(f64::from).collect()
}

/// Reads the rows of `tokens` of `matrix [d_vocab, d_model]`: one by one if they are few, else by streaming all rows.
async fn read_missing(
    loader: Loader<'_>,
    matrix: TensorRow,
    tokens: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, Vec<f32>>> {
    if tokens.len() > FEW_ROWS {
        return Ok(read_rows(loader, matrix, tokens).await?.0);
    }
    let Config { d_model, d_vocab, .. } = *loader.config();
    let indices = tokens.iter().map(|token| *token as usize);
    let rows = loader.some_rows(matrix.name(), [d_vocab, d_model], indices).await?;
    Ok(tokens.iter().copied().zip(rows).collect())
}

/// The rows of `tokens` of `matrix [d_vocab, d_model]`, and the mean of all its rows, accumulated in f64.
async fn read_rows(
    loader: Loader<'_>,
    matrix: TensorRow,
    tokens: &BTreeSet<u32>,
) -> Result<(BTreeMap<u32, Vec<f32>>, Vec<f64>)> {
    let Config { d_model, d_vocab, .. } = *loader.config();
    let mut rows = BTreeMap::new();
    let mut total = vec![0f64; d_model];
    let mut token = 0;
    let mut take = |row: &[f32]| {
        for (total, &v) in total.iter_mut().zip(row) {
            *total += f64::from(v);
        }
        if tokens.contains(&token) {
            rows.insert(token, row.to_vec());
        }
        token += 1;
    };
    loader.rows(matrix.name(), [d_vocab, d_model], &mut take).await?;
    let mean = total.iter().map(|total| total / d_vocab as f64).collect();
    Ok((rows, mean))
}
