//! W_E, W_pos, ln_f and W_U: the two ends of the model, on one copy of the weights.

use candle_core::Tensor;

use crate::error::{Error, ErrorKind, Result};
use crate::gpt2::layer_norm::{Affine, LayerNorm};
use crate::gpt2::loader::Loader;
use crate::gpt2::{Config, Processing, tensor, vector};

/// Embedding and unembedding.
///
/// The matrices stay as they are in the file (`wte` is W_E and, unless there is `lm_head`, W_U too);
/// processed rows are derived when they are asked for, and what processing subtracts is kept as vectors.
pub(crate) struct Embedding {
    processing: Processing,
    d_model: usize,
    /// `[d_vocab, d_model]`.
    wte: Tensor,
    /// `[n_ctx, d_model]`.
    wpe: Tensor,
    /// W_U transposed, `[d_vocab, d_model]`, where it is not `wte`.
    lm_head: Option<Tensor>,
    eps: f64,
    ln_f: Affine,
    /// Mean over the vocabulary of W_U's rows before `center_unembed`, `[d_model]`, and of b_U.
    vocabulary_mean: (Vec<f32>, f64),
}

/// The tensors that [`Embedding`] is made of.
pub(crate) const NAMES: [&str; 5] = ["wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias", "lm_head.weight"];

impl Embedding {
    /// Reads both ends of the model.
    pub(crate) async fn load(loader: &mut Loader<'_>, processing: Processing) -> Result<Self> {
        let Config {
            d_model,
            d_vocab,
            n_ctx,
            layer_norm_epsilon: eps,
            ..
        } = *loader.config();
        let wte = loader.tensor("wte.weight", &[d_vocab, d_model]).await?;
        let wpe = loader.tensor("wpe.weight", &[n_ctx, d_model]).await?;
        let ln_f = loader.layer_norm("ln_f").await?;
        let lm_head = match loader.has("lm_head.weight") {
            true => Some(loader.tensor("lm_head.weight", &[d_vocab, d_model]).await?),
            false => None,
        };
        let mut embedding = Self {
            processing,
            d_model,
            wte,
            wpe,
            lm_head,
            eps,
            ln_f,
            vocabulary_mean: (Vec::new(), 0.0),
        };
        embedding.set_processing(processing)?;
        Ok(embedding)
    }

    /// Changes the processing; the matrices themselves do not depend on it.
    pub(crate) fn set_processing(&mut self, processing: Processing) -> Result<()> {
        self.processing = processing;
        let mut mean = tensor::read(self.w_u_source(), |rows| mean_of_rows(rows, self.d_model))?;
        let b_u = self.raw_b_u(&mean);
        self.fold_into_w_u(&mut mean);
        self.vocabulary_mean = (mean, b_u);
        Ok(())
    }

    fn w_u_source(&self) -> &Tensor {
        self.lm_head.as_ref().unwrap_or(&self.wte)
    }

    /// W_E of `token`, `[d_model]`.
    pub(crate) fn w_e(&self, token: u32) -> Result<Vec<f32>> {
        let mut row = self.row(&self.wte, token as usize)?;
        if self.processing.center_writing_weights {
            vector::centre(&mut row);
        }
        Ok(row)
    }

    /// W_pos of `position`, `[d_model]`.
    pub(crate) fn w_pos(&self, position: usize) -> Result<Vec<f32>> {
        let mut row = self.row(&self.wpe, position)?;
        if self.processing.center_writing_weights {
            vector::centre(&mut row);
        }
        Ok(row)
    }

    /// The column of W_U for `token`, `[d_model]`.
    pub(crate) fn w_u(&self, token: u32) -> Result<Vec<f32>> {
        let mut row = self.row(self.w_u_source(), token as usize)?;
        self.fold_into_w_u(&mut row);
        if self.processing.center_unembed {
            vector::add_scaled(&mut row, -1.0, &self.vocabulary_mean.0);
        }
        Ok(row)
    }

    /// b_U of `token`.
    pub(crate) fn b_u(&self, token: u32) -> Result<f32> {
        let bias = self.raw_b_u(&self.row(self.w_u_source(), token as usize)?);
        let mean = if self.processing.center_unembed {
            self.vocabulary_mean.1
        } else {
            0.0
        };
        Ok((bias - mean) as f32)
    }

    /// Logits over the vocabulary, `[rows, d_vocab]`, of the last residual stream, `[rows, d_model]`.
    pub(crate) fn logits(&self, resid: &[f32]) -> Result<Vec<f32>> {
        let ln_f = LayerNorm {
            eps: self.eps,
            affine: None,
        };
        let mut x = ln_f.normalise(resid, self.d_model).0;
        let mut subtracted = vec![0.0; x.len() / self.d_model];
        for (row, subtracted) in x.chunks_exact_mut(self.d_model).zip(&mut subtracted) {
            *subtracted = self.unembed_input(row);
        }
        let mut logits = tensor::to_vec(&tensor::product(x, &self.w_u_source().t()?)?)?;
        let d_vocab = self.w_u_source().dim(0)?;
        for (row, subtracted) in logits.chunks_exact_mut(d_vocab).zip(subtracted) {
            row.iter_mut().for_each(|logit| *logit -= subtracted);
        }
        Ok(logits)
    }

    /// Turns a normalised row into what W_U's source is multiplied with; returns what `center_unembed`
    /// takes off all logits of the row.
    ///
    /// Whether ln_f's weight and bias are in W_U and b_U or not, the source is multiplied with
    /// `x * weight + bias`; centring W_U over `d_model` changes nothing, as the normalised row has mean 0.
    fn unembed_input(&self, row: &mut [f32]) -> f32 {
        let folded = vector::dot(row, &self.vocabulary_mean.0);
        for ((v, w), b) in row.iter_mut().zip(&self.ln_f.weight).zip(&self.ln_f.bias) {
            *v = *v * w + b;
        }
        let Processing {
            fold_ln,
            center_unembed,
            ..
        } = self.processing;
        match (center_unembed, fold_ln) {
            (false, _) => 0.0,
            (true, true) => (folded + self.vocabulary_mean.1) as f32,
            (true, false) => vector::dot(row, &self.vocabulary_mean.0) as f32,
        }
    }

    /// `fold_ln` on a row of W_U's source: times ln_f's weight, then centred over `d_model`.
    fn fold_into_w_u(&self, row: &mut [f32]) {
        if self.processing.fold_ln {
            for (v, w) in row.iter_mut().zip(&self.ln_f.weight) {
                *v *= w;
            }
            vector::centre(row);
        }
    }

    /// `fold_ln` on b_U: a row of W_U's source times ln_f's bias.
    fn raw_b_u(&self, row: &[f32]) -> f64 {
        if self.processing.fold_ln {
            vector::dot(row, &self.ln_f.bias)
        } else {
            0.0
        }
    }

    fn row(&self, matrix: &Tensor, index: usize) -> Result<Vec<f32>> {
        let start = index * self.d_model;
        tensor::read(matrix, |rows| {
            rows.get(start..start + self.d_model).map(<[f32]>::to_vec)
        })?
        .ok_or_else(|| {
            Error::new(ErrorKind::Prompt, format!("a prompt needs row {index} of an embedding"))
                .expected(format!("an index below {}", matrix.dim(0).unwrap_or(0)))
                .advice("Check that tokenizer.json belongs to this model, and that the prompt fits its context.")
        })
    }
}

/// Mean of the rows of a matrix of `width` columns, accumulated in f64.
fn mean_of_rows(elements: &[f32], width: usize) -> Vec<f32> {
    let mut total = vec![0f64; width];
    for row in elements.chunks_exact(width) {
        for (total, &v) in total.iter_mut().zip(row) {
            *total += f64::from(v);
        }
    }
    let rows = (elements.len() / width) as f64;
    total.iter().map(|t| (t / rows) as f32).collect()
}
