//! Logits and token directions. W_U (and W_E) are too large to be held, so these functions stream them.

use crate::error::Result;
use crate::forward::{Model, Monitor};

/// Cosines of some vectors with the rows of W_E and the columns of W_U, `[vectors][d_vocab]` each.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosines {
    /// With the processed rows of W_E.
    pub w_e: Vec<Vec<f32>>,
    /// With the processed columns of W_U.
    pub w_u: Vec<Vec<f32>>,
}

impl Model {
    /// The logit lens: logits over the vocabulary, `[d_vocab]` each, of residual streams `resid [rows, d_model]` from
    /// any layer, put through the final LayerNorm and W_U. Streams W_U once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] before [`Model::load_embedding`] or a run, read errors.
    pub async fn logits_of(&self, resid: &[f32], monitor: &dyn Monitor) -> Result<Vec<Vec<f32>>> {
        let logits = self.embedding()?.logits(self.loader(monitor), resid, None).await?;
        Ok(logits
            .chunks_exact(self.config().d_vocab)
            .map(<[f32]>::to_vec)
            .collect())
    }

    /// How much `written [d_model]`, already divided by the scale of the final LayerNorm, adds to the logit of every
    /// token, relative to its mean over the vocabulary, `[d_vocab]`. The same under every weight processing. Streams
    /// W_U.
    ///
    /// # Errors
    /// As [`Model::logits_of`].
    pub async fn raised(&self, written: &[f64], monitor: &dyn Monitor) -> Result<Vec<f32>> {
        let written: Vec<f32> = written.iter().map(|&v| v as f32).collect();
        self.embedding()?.raised(self.loader(monitor), &written).await
    }

    /// Logits of residual streams `resid [rows, d_model]`, as [`Model::logits_of`], and contributions of `written
    /// [rows, d_model]` to logits, as [`Model::raised`], all relative to their mean over the vocabulary. They are not
    /// stored: `take` is called with some tokens at a time (the first of these tokens, and `[rows of resid, then rows
    /// of written][tokens]`). Streams W_U once.
    ///
    /// # Errors
    /// As [`Model::logits_of`].
    pub async fn logits_streamed(
        &self,
        resid: &[f32],
        written: &[f32],
        monitor: &dyn Monitor,
        take: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<()> {
        let loader = self.loader(monitor);
        self.embedding()?.passing(loader, resid, written, take).await
    }

    /// Cosines of `vectors [d_model]` with the processed rows of W_E and columns of W_U; 0 where a vector has length 0.
    /// Streams both matrices.
    ///
    /// # Errors
    /// As [`Model::logits_of`].
    pub async fn cosines(&self, vectors: &[Vec<f64>], monitor: &dyn Monitor) -> Result<Cosines> {
        let [w_e, w_u] = self.embedding()?.cosines(self.loader(monitor), vectors).await?;
        Ok(Cosines { w_e, w_u })
    }
}
