//! Products with all of W_E and W_U, which are streamed.

use super::{Embedding, ROWS_AT_A_TIME, wide};
use crate::error::Result;
use crate::forward::loader::Loader;
use crate::forward::streaming::{PartialCosines, PartialLogits, product_with};
use crate::math;
use crate::model::layer_norm::LayerNorm;
use crate::model::tensors::WTE;

impl Embedding {
    /// Logits over the vocabulary, `[rows, d_vocab]`, of residual streams `resid [rows, d_model]` after the last layer
    /// (or an earlier one). `scales [rows]` replace the scales of the final LayerNorm; None for the actual ones.
    /// Streams W_U.
    pub(crate) async fn logits(&self, loader: Loader<'_>, resid: &[f32], scales: Option<&[f32]>) -> Result<Vec<f32>> {
        let ln_f = LayerNorm {
            eps: self.eps,
            affine: None,
        };
        let (mut x, own_scales) = ln_f.normalize(resid, self.d_model);
        let rows = x.chunks_exact_mut(self.d_model).zip(own_scales);
        for ((row, own), scale) in rows.zip(scales.unwrap_or_default()) {
            // Exactly 1 unless the scale was edited.
            row.iter_mut().for_each(|v| *v *= own / scale);
        }
        let mut added = vec![0.0; x.len() / self.d_model];
        for (row, added) in x.chunks_exact_mut(self.d_model).zip(&mut added) {
            *added = self.unembed_input(row);
        }
        let mut logits = self.unembed(loader, &x).await?;
        for (row, added) in logits.chunks_exact_mut(self.d_vocab).zip(added) {
            row.iter_mut().for_each(|logit| *logit += added);
        }
        Ok(logits)
    }

    /// How much `written [rows, d_model]`, already divided by the scale of the final LayerNorm, adds to all logits,
    /// relative to their mean over the vocabulary, `[rows, d_vocab]`. The same under every weight processing. Streams
    /// W_U.
    pub(crate) async fn raised(&self, loader: Loader<'_>, written: &[f32]) -> Result<Vec<f32>> {
        self.unembed(loader, &self.raised_input(written)).await
    }

    /// Logits of residual streams `resid [rows, d_model]`, each with its own scale of the final LayerNorm, and the
    /// contributions of `written [rows, d_model]` to logits as in [`Embedding::raised`], all relative to their mean
    /// over the vocabulary. `take` is called with some tokens at a time: the first of these tokens, and `[rows of
    /// resid, then of written][tokens]`. Streams W_U.
    pub(crate) async fn passing(
        &self,
        loader: Loader<'_>,
        resid: &[f32],
        written: &[f32],
        take: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<()> {
        let ln_f = LayerNorm {
            eps: self.eps,
            affine: None,
        };
        let (mut x, _) = ln_f.normalize(resid, self.d_model);
        for row in x.chunks_exact_mut(self.d_model) {
            self.unembed_input(row);
        }
        x.extend(self.raised_input(written));
        let mut first = 0;
        let rows = x.len() / self.d_model;
        let mut told = |logits: &[f32]| {
            take(first, logits);
            first += logits.len() / rows;
        };
        self.unembed_streamed(loader, &x, &mut told).await
    }

    /// The vectors by which W_U's source is multiplied for `written [rows, d_model]`.
    pub(super) fn raised_input(&self, written: &[f32]) -> Vec<f32> {
        let mut x = written.to_vec();
        for row in x.chunks_exact_mut(self.d_model) {
            math::center(row);
            row.iter_mut().zip(&self.ln_f.weight).for_each(|(v, w)| *v *= w);
        }
        x
    }

    /// Cosines of `vectors [d_model]` with the processed rows of W_E and with the columns of W_U, `[vectors, d_vocab]`
    /// each; 0 where a row has length 0. Streams both matrices, once if they are the same.
    pub(crate) async fn cosines(&self, loader: Loader<'_>, vectors: &[Vec<f64>]) -> Result<[Vec<Vec<f32>>; 2]> {
        let mut with_w_e = PartialCosines::new(vectors);
        let mut with_w_u = PartialCosines::new(vectors);
        let shape = [self.d_vocab, self.d_model];
        let is_tied = self.w_u.is_none();
        let mut processed = vec![0.0; self.d_model];
        let mut take = |row: &[f32]| {
            processed.copy_from_slice(row);
            self.process_w_e(&mut processed);
            with_w_e.add(&wide(&processed));
            if is_tied {
                with_w_u.add(&self.processed_w_u(row));
            }
        };
        loader.rows(WTE.name(), shape, &mut take).await?;
        if !is_tied {
            let mut take = |row: &[f32]| with_w_u.add(&self.processed_w_u(row));
            loader.rows(loader.unembedding().name(), shape, &mut take).await?;
        }
        Ok([with_w_e.into_found(), with_w_u.into_found()])
    }

    /// `x [rows, d_model]` times the centered rows of W_U's source (without their mean over the vocabulary), `[rows,
    /// d_vocab]`. Streams the matrix.
    pub(super) async fn unembed(&self, loader: Loader<'_>, x: &[f32]) -> Result<Vec<f32>> {
        let mut logits = PartialLogits::new(x.len() / self.d_model, self.d_vocab);
        self.unembed_streamed(loader, x, &mut |of_tokens| logits.add(of_tokens))
            .await?;
        Ok(logits.into_values())
    }

    /// The same, passed to `take` for some tokens at a time, `[rows, tokens]`.
    pub(super) async fn unembed_streamed(
        &self,
        loader: Loader<'_>,
        x: &[f32],
        take: &mut dyn FnMut(&[f32]),
    ) -> Result<()> {
        let mut rows = Vec::with_capacity(ROWS_AT_A_TIME * self.d_model);
        let mut outcome = Ok(());
        // The mean of the rows is removed, because it may be far larger than the differences between tokens, and only
        // adds a constant to all logits of a row.
        let mut take_row = |row: &[f32]| {
            let without_mean = row.iter().zip(&self.source_mean);
            rows.extend(without_mean.map(|(v, mean)| (f64::from(*v) - mean) as f32));
            if rows.len() == ROWS_AT_A_TIME * self.d_model && outcome.is_ok() {
                outcome = product_with(x, &rows, self.d_model, &mut *take);
                rows.clear();
            }
        };
        loader
            .rows(loader.unembedding().name(), [self.d_vocab, self.d_model], &mut take_row)
            .await?;
        outcome?;
        product_with(x, &rows, self.d_model, take)
    }

    /// Turns a normalized row into the vector by which W_U's source is multiplied. Returns what the mean over the
    /// vocabulary adds to all logits of the row: 0 if `center_unembed` removes it.
    ///
    /// Whether ln_f's weight and bias are folded into W_U and b_U or not, the source is multiplied by `x * weight +
    /// bias`. Centering W_U over `d_model` changes nothing, because the normalized row has mean 0.
    pub(super) fn unembed_input(&self, row: &mut [f32]) -> f32 {
        for ((v, w), b) in row.iter_mut().zip(&self.ln_f.weight).zip(&self.ln_f.bias) {
            *v = *v * w + b;
        }
        if self.processing.center_unembed {
            0.0
        } else {
            math::dot_wide(&self.source_mean, row) as f32
        }
    }

    /// Applies `fold_ln` to a row of W_U's source, if it is on.
    pub(super) fn fold_into_w_u(&self, row: &mut [f64]) {
        if self.processing.fold_ln {
            self.fold(row);
        }
    }
}
