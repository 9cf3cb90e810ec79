//! The residual stream, and what is written to it, in terms of tokens: W_U (and W_E) pass by, as they are too large to be held.

use crate::error::Result;
use crate::forward::{Model, Monitor};

/// Cosines of some vectors with the rows of both matrices that have a row for each token, `[vectors][d_vocab]` each.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosines {
    /// With the processed rows of W_E.
    pub w_e: Vec<Vec<f32>>,
    /// With the processed columns of W_U.
    pub w_u: Vec<Vec<f32>>,
}

impl Model {
    /// Logits over the vocabulary that rows of the residual stream have, `resid [rows, d_model]`, put through the final LayerNorm and W_U
    /// as they are after any layer (the logit lens), `[d_vocab]` each. W_U passes by once for all.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] before [`Model::load_embedding`] or a run, errors of reading.
    pub async fn logits_of(&self, resid: &[f32], monitor: &dyn Monitor) -> Result<Vec<Vec<f32>>> {
        let logits = self.embedding()?.logits(self.loader(monitor), resid, None).await?;
        Ok(logits
            .chunks_exact(self.config().d_vocab)
            .map(<[f32]>::to_vec)
            .collect())
    }

    /// What `written [d_model]`, already divided by the scale of the final LayerNorm, adds to the logit of every token, relative to its mean
    /// over the vocabulary, `[d_vocab]`: the same under every processing. W_U passes by.
    ///
    /// # Errors
    /// As [`Model::logits_of`].
    pub async fn raised(&self, written: &[f64], monitor: &dyn Monitor) -> Result<Vec<f32>> {
        let written: Vec<f32> = written.iter().map(|&v| v as f32).collect();
        self.embedding()?.raised(self.loader(monitor), &written).await
    }

    /// Logits that rows of the residual stream have, `resid [rows, d_model]`, as [`Model::logits_of`], and what rows of `written [rows,
    /// d_model]` add to logits, as [`Model::raised`], all relative to their mean over the vocabulary and none of them held: `take` is handed
    /// those of some tokens at a time, `[rows of resid, then rows of written][tokens]`, after the first of these tokens. W_U passes by once for
    /// all.
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

    /// Cosines of `vectors [d_model]` with the processed rows of W_E and W_U; 0 with one without direction. Both pass by.
    ///
    /// # Errors
    /// As [`Model::logits_of`].
    pub async fn cosines(&self, vectors: &[Vec<f64>], monitor: &dyn Monitor) -> Result<Cosines> {
        let [w_e, w_u] = self.embedding()?.cosines(self.loader(monitor), vectors).await?;
        Ok(Cosines { w_e, w_u })
    }
}
