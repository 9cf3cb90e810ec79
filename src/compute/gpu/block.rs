//! A block with its weights in GPU memory.

use std::ops::Range;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::buffers::WeightBuffer;
use super::device::GpuDevice;
use super::matrix::{Matrix, affine, bias};
use super::step::{BlockStep, effective_embedding};
use super::upload::bytes_of;
use super::weights::{GpuBlock, Rest};
use crate::compute::block::{AttentionInput, BlockRest};
use crate::compute::engine::{Block, BlockMatrix, Step, Stream};
use crate::compute::rows::{Rows, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::layer_norm::LayerNorm;

impl GpuBlock {
    /// Stores the weights of the attention part.
    pub(super) fn take(device: Rc<GpuDevice>, weights: AttentionInputWeights) -> Result<Self> {
        let d = weights.b_qkv.len() / 3;
        let taken = Self {
            w_qkv: Matrix::new(&device, &weights.w_qkv, weights.b_qkv.len())?,
            b_qkv: bias(&device, &weights.b_qkv)?,
            ln_1: norm(&device, &weights.ln_1, d)?,
            small: AttentionInput {
                ln_1: weights.ln_1,
                b_qkv: weights.b_qkv,
                folded_b_v: weights.folded_b_v,
            },
            rest: None,
            device,
        };
        taken.device.flush();
        Ok(taken)
    }
}

fn norm(device: &Rc<GpuDevice>, norm: &LayerNorm, width: usize) -> Result<WeightBuffer> {
    let values = affine(norm, width, true);
    let held = device.weights(bytes_of(values.len()))?;
    device.write(&held.buffer, 0, bytemuck::cast_slice(&values));
    Ok(held)
}

impl Block for GpuBlock {
    fn input(&self) -> &AttentionInput {
        &self.small
    }

    fn rest(&self) -> Option<&BlockRest> {
        self.rest.as_ref().map(|rest| &rest.small)
    }

    fn take_rest(&mut self, weights: BlockRestWeights) -> Result<()> {
        let device = &self.device;
        self.rest = Some(Rest {
            w_o: Matrix::new(device, &weights.w_o, weights.b_o.len())?,
            b_o: bias(device, &weights.b_o)?,
            ln_2: norm(device, &weights.ln_2, weights.b_o.len())?,
            w_in: Matrix::new(device, &weights.w_in, weights.b_in.len())?,
            b_in: bias(device, &weights.b_in)?,
            w_out: Matrix::new(device, &weights.w_out, weights.b_out.len())?,
            b_out: bias(device, &weights.b_out)?,
            small: BlockRest {
                b_o: weights.b_o,
                ln_2: weights.ln_2,
                b_in: weights.b_in,
                b_out: weights.b_out,
            },
        });
        device.flush();
        Ok(())
    }

    fn forward<'a>(
        &'a self,
        step: &'a Step<'a>,
        rows: &'a Rows<'a>,
        stream: Stream<'a>,
        taps: &'a mut dyn Taps,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let through = BlockStep {
                block: self,
                rest: self.whole()?,
                step,
                rows,
            };
            through.forward(stream, taps).await
        })
    }

    fn effective_embedding<'a>(
        &'a self,
        config: &'a Config,
        x: Vec<f32>,
    ) -> LocalBoxFuture<'a, Result<(Vec<f32>, Vec<f32>)>> {
        Box::pin(async move { effective_embedding(self, self.whole()?, config, x).await })
    }

    fn read(
        &self,
        matrix: BlockMatrix,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> LocalBoxFuture<'_, Result<Vec<f32>>> {
        Box::pin(async move {
            let matrix = match matrix {
                BlockMatrix::Qkv => &self.w_qkv,
                BlockMatrix::O => &self.whole()?.w_o,
                BlockMatrix::Out => &self.whole()?.w_out,
            };
            matrix.elements(&self.device, rows, columns).await
        })
    }
}
