//! Effective embeddings: tokens' embeddings after layer 0.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::forward::{EffectiveEmbedding, Model, Monitor};

/// The effective embeddings of some tokens.
#[derive(Default)]
pub(crate) struct EffectiveEmbeddings {
    tokens: Vec<u32>,
    embeddings: EffectiveEmbedding,
}

impl EffectiveEmbeddings {
    /// Computes those of `tokens`, whose embeddings the model must have read.
    pub(crate) async fn read(model: &mut Model, tokens: BTreeSet<u32>, monitor: &dyn Monitor) -> Result<Self> {
        if tokens.is_empty() {
            return Ok(Self::default());
        }
        let tokens: Vec<u32> = tokens.into_iter().collect();
        let embeddings = model.effective_embedding(&tokens, monitor).await?;
        Ok(Self { tokens, embeddings })
    }

    /// W_EE and W_EE_subE of `token`, `[d_model]` each.
    pub(crate) fn of(&self, token: u32) -> Result<(Vec<f32>, Vec<f32>)> {
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
