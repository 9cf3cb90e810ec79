//! Maps of the residual stream pulled back through output weights.
//!
//! A linear map of the residual stream, such as a score with one end fixed, is a vector `[d_model]`. The functions here
//! give the corresponding map one step earlier: of head outputs before W_O (`W_O map`), of neurons (`W_out map`), or of
//! the normalized stream that values are made from (`W_V map`). They use f64, because several such steps may follow one
//! another.

use futures::future::LocalBoxFuture;

use crate::compute::engine::{Block, BlockMatrix};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::head_weights::columns;
use crate::forward::model::not_loaded;
use crate::forward::{Model, Monitor, blocks};
use crate::math;
use crate::names::Head;

impl Model {
    /// `W_O map`, `[n_head * d_head]`: how much a unit of each number of the heads' `z` in `layer` contributes to `map
    /// [d_model]`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a layer that does not exist, read errors.
    pub async fn through_w_o(&mut self, layer: usize, map: &[f64], monitor: &dyn Monitor) -> Result<Vec<f64>> {
        let d = self.config().d_model;
        let block = self.whole_block(layer, monitor).await?;
        let w_o = block.read(BlockMatrix::O, 0..d, 0..d).await?;
        Ok(rows_times(&w_o, map))
    }

    /// `z W_O` of `head`, `[d_model]`, without b_O: what the head writes if its attention-weighted sum of values is `z
    /// [d_head]`. For the value at a single position, this is what the head writes per unit of attention to it.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head that does not exist, read errors.
    pub async fn written_by(&mut self, head: Head, z: &[f64], monitor: &dyn Monitor) -> Result<Vec<f64>> {
        self.config().check_head(head)?;
        let (d, d_head) = (self.config().d_model, self.config().d_head());
        let block = self.whole_block(head.layer, monitor).await?;
        let of_head = head.head * d_head..(head.head + 1) * d_head;
        let w_o = block.read(BlockMatrix::O, of_head, 0..d).await?;
        let mut written = vec![0f64; d];
        for (row, &v) in w_o.chunks_exact(d).zip(z) {
            written
                .iter_mut()
                .zip(row)
                .for_each(|(total, &w)| *total += v * f64::from(w));
        }
        Ok(written)
    }

    /// `W_out map`, `[d_mlp]`, and `b_out . map`: how much a unit of each neuron of `layer`, and the bias, contribute
    /// to `map [d_model]`.
    ///
    /// # Errors
    /// As [`Model::through_w_o`].
    pub async fn through_w_out(&mut self, layer: usize, map: &[f64], monitor: &dyn Monitor) -> Result<(Vec<f64>, f64)> {
        let (d, d_mlp) = (self.config().d_model, self.config().d_mlp);
        let block = self.whole_block(layer, monitor).await?;
        let w_out = block.read(BlockMatrix::Out, 0..d_mlp, 0..d).await?;
        let b_out = block.rest().map_or(&[][..], |rest| &rest.b_out);
        Ok((rows_times(&w_out, map), math::dot_wide(map, b_out)))
    }

    /// `W_V map`, `[d_model]`, and `b_V . map`: how much a unit of each number of the normalized residual stream, and
    /// the bias, contribute to a `map [d_head]` of `head`'s values. LayerNorm's weight and bias are folded in, whatever
    /// the processing.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head that does not exist, read errors.
    pub async fn through_w_v(&mut self, head: Head, map: &[f64], monitor: &dyn Monitor) -> Result<(Vec<f64>, f64)> {
        self.config().check_head(head)?;
        self.read_block(head.layer, monitor).await?;
        let config = self.config();
        let start = 2 * config.d_model + head.head * config.d_head();
        let block = self.blocks[head.layer].as_ref().ok_or_else(|| not_loaded("a head"))?;
        let (w_v, b_v) = columns(block.as_ref(), config, start).await?;
        Ok((rows_times(&w_v, map), math::dot_wide(map, &b_v)))
    }

    /// How much a unit of each number of the final normalized residual stream adds to the logit of `token`, relative to
    /// the mean over the vocabulary, `[d_model]`: the column of W_U with ln_f folded in and both centered. The same
    /// under every weight processing.
    ///
    /// # Errors
    /// As [`Model::w_u`].
    pub fn logit_direction(&self, token: u32) -> Result<Vec<f64>> {
        self.embedding()?.logit_direction(token)
    }

    /// How much ln_f's bias adds to the logit of `token`, relative to the mean over the vocabulary: b_U, folded and
    /// centered. The same under every weight processing.
    ///
    /// # Errors
    /// As [`Model::w_u`].
    pub fn logit_bias(&self, token: u32) -> Result<f64> {
        self.embedding()?.logit_bias(token)
    }

    /// Block `layer`, all of it.
    async fn whole_block(&mut self, layer: usize, monitor: &dyn Monitor) -> Result<&dyn Block> {
        self.read_block(layer, monitor).await?;
        let block = self.blocks[layer].as_deref();
        block.ok_or_else(|| not_loaded("a block"))
    }

    /// Reads block `layer` unless all of it is in memory. If the memory limit is reached, the last block is dropped.
    pub(crate) fn read_block<'a>(
        &'a mut self,
        layer: usize,
        monitor: &'a dyn Monitor,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let count = self.blocks.len();
            if layer >= count {
                return Err(Error::new(ErrorKind::Request, format!("there is no layer {layer}"))
                    .expected(format!("a layer from 0 to {}", count.saturating_sub(1))));
            }
            if self.is_whole(layer) {
                return Ok(());
            }
            let whole: Vec<usize> = (0..count).filter(|&layer| self.is_whole(layer)).collect();
            if let Some(&last) = whole.last().filter(|_| whole.len() >= self.blocks_kept().max(2)) {
                self.blocks[last] = None;
            }
            monitor.waiting();
            let input = self.blocks[layer].as_ref().map(|block| block.input());
            let parts = blocks::load(self.loader(monitor), layer, input, true, self.processing).await?;
            self.install(layer, parts)
        })
    }
}

/// Product of every row of `weight [rows, map]` with `map`.
fn rows_times(weight: &[f32], map: &[f64]) -> Vec<f64> {
    let rows = weight.chunks_exact(map.len().max(1));
    rows.map(|row| math::dot_wide(map, row)).collect()
}
