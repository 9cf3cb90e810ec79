//! Vectors of the model: rows of its embeddings, biases, and the weights of single heads.

use super::{EffectiveEmbedding, Model, not_loaded};
use crate::error::Result;
use crate::forward::blocks::{self};
use crate::forward::{HeadWeights, Monitor};
use crate::names::{Component, Head};
use futures::future::LocalBoxFuture;

impl Model {
    /// The processed W_E row of `token`, `[d_model]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a token beyond the vocabulary, [`crate::ErrorKind::Internal`] before
    /// [`Model::load_embedding`] or a run with this token.
    pub fn w_e(&self, token: u32) -> Result<Vec<f32>> {
        self.embedding()?.w_e(token)
    }

    /// The processed column of W_U for `token`, `[d_model]`.
    ///
    /// # Errors
    /// As [`Model::w_e`].
    pub fn w_u(&self, token: u32) -> Result<Vec<f32>> {
        self.embedding()?.w_u(token)
    }

    /// b_U of `token`. It is not 0 where `fold_ln` has moved ln_f's bias into it.
    ///
    /// # Errors
    /// As [`Model::w_e`].
    pub fn b_u(&self, token: u32) -> Result<f32> {
        self.embedding()?.b_u(token)
    }

    /// The processed W_pos row of `position`, `[d_model]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a position beyond the context, [`crate::ErrorKind::Internal`] as [`Model::w_e`].
    pub fn w_pos(&self, position: usize) -> Result<Vec<f32>> {
        self.embedding()?.w_pos(position)
    }

    /// The processed b_O of `layer`, `[d_model]`. The block must have been read since the weight processing was set.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] where it has not.
    pub fn b_o(&self, layer: usize) -> Result<&[f32]> {
        let known = self.b_o.get(layer).and_then(Option::as_deref);
        known.ok_or_else(|| not_loaded(&Component::AttentionBias(layer).to_string()))
    }

    /// The effective embeddings of `tokens`, whose embedding rows must be in memory.
    ///
    /// # Errors
    /// As [`Model::w_e`], and read errors.
    pub fn effective_embedding<'a>(
        &'a mut self,
        tokens: &'a [u32],
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<EffectiveEmbedding>> {
        Box::pin(async move {
            let mut rows = Vec::with_capacity(tokens.len() * self.config().d_model);
            for &token in tokens {
                rows.extend(self.w_e(token)?);
            }
            loop {
                match self.effective_rows(&rows, monitor).await {
                    Err(error) => self.fall_back(error)?,
                    Ok((resid_post, mlp_out)) => return Ok(EffectiveEmbedding { resid_post, mlp_out }),
                }
            }
        })
    }

    /// Sends `rows` through the first block, each row attending only to itself.
    pub(super) async fn effective_rows(&mut self, rows: &[f32], monitor: &dyn Monitor) -> Result<(Vec<f32>, Vec<f32>)> {
        self.read_block(0, monitor).await?;
        let block = self.blocks[0].as_ref().ok_or_else(|| not_loaded("a block"))?;
        block.effective_embedding(self.config(), rows.to_vec()).await
    }

    /// Query and key weights of `head`. Reads them if necessary.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] where the head does not exist, read errors.
    pub fn head_weights<'a>(
        &'a mut self,
        head: Head,
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<HeadWeights>> {
        Box::pin(async move {
            self.config().check_head(head)?;
            loop {
                match self.read_head(head, monitor).await {
                    Err(error) => self.fall_back(error)?,
                    found => return found,
                }
            }
        })
    }

    pub(super) async fn read_head(&mut self, head: Head, monitor: &dyn Monitor) -> Result<HeadWeights> {
        if self.blocks[head.layer].is_none() {
            monitor.waiting();
            let parts = blocks::load(self.loader(monitor), head.layer, None, false, self.processing).await?;
            self.install(head.layer, parts)?;
        }
        let block = self.blocks[head.layer].as_ref().ok_or_else(|| not_loaded("a head"))?;
        HeadWeights::of(block.as_ref(), self.config(), head).await
    }
}
