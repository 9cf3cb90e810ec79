//! The CPU engine: takes weights and computes rows.

use std::ops::Range;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::forward::Forward;
use super::products::{MatrixPart, Products};
use super::weights::{CpuBlock, Rest};
use crate::compute::block::{AttentionInput, BlockRest};
use crate::compute::engine::{Block, BlockMatrix, Engine, Step, Stream};
use crate::compute::rows::{Rows, Taps};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::names::EngineName;

/// A CPU engine.
pub(crate) struct Cpu<P> {
    products: Rc<P>,
}

impl<P: Products + 'static> Cpu<P> {
    /// With matrix products computed by `products`.
    pub(crate) fn new(products: P) -> Self {
        Self {
            products: Rc::new(products),
        }
    }
}

impl<P: Products + 'static> Engine for Cpu<P> {
    fn name(&self) -> EngineName {
        self.products.name()
    }

    fn threads(&self) -> usize {
        self.products.threads()
    }

    fn take(&self, weights: AttentionInputWeights) -> Result<Box<dyn Block>> {
        Ok(Box::new(CpuBlock {
            products: Rc::clone(&self.products),
            w_qkv: self.products.matrix(weights.w_qkv, weights.b_qkv.len())?,
            small: AttentionInput {
                ln_1: weights.ln_1,
                b_qkv: weights.b_qkv,
                folded_b_v: weights.folded_b_v,
            },
            rest: None,
        }))
    }
}

impl<P: Products> CpuBlock<P> {
    fn through<'a>(&'a self, step: &'a Step<'a>) -> Result<Forward<'a, P>> {
        let rest = self.rest.as_ref().ok_or_else(not_taken)?;
        Ok(Forward {
            step,
            block: self,
            rest,
        })
    }
}

impl<P: Products + 'static> Block for CpuBlock<P> {
    fn input(&self) -> &AttentionInput {
        &self.small
    }

    fn rest(&self) -> Option<&BlockRest> {
        self.rest.as_ref().map(|rest| &rest.small)
    }

    fn take_rest(&mut self, weights: BlockRestWeights) -> Result<()> {
        let products = &self.products;
        self.rest = Some(Rest {
            w_o: products.matrix(weights.w_o, weights.b_o.len())?,
            w_in: products.matrix(weights.w_in, weights.b_in.len())?,
            w_out: products.matrix(weights.w_out, weights.b_out.len())?,
            small: BlockRest {
                b_o: weights.b_o,
                ln_2: weights.ln_2,
                b_in: weights.b_in,
                b_out: weights.b_out,
            },
        });
        Ok(())
    }

    fn forward<'a>(
        &'a self,
        step: &'a Step<'a>,
        rows: &'a Rows<'a>,
        stream: Stream<'a>,
        taps: &'a mut dyn Taps,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { self.through(step)?.forward(rows, stream, taps) })
    }

    fn effective_embedding<'a>(
        &'a self,
        config: &'a Config,
        x: Vec<f32>,
    ) -> LocalBoxFuture<'a, Result<(Vec<f32>, Vec<f32>)>> {
        let step = Step {
            config,
            layer: 0,
            edits: &[],
            known_qkv: None,
            keys_only: false,
        };
        Box::pin(async move { self.through(&step)?.effective_embedding(x) })
    }

    fn read(
        &self,
        matrix: BlockMatrix,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> LocalBoxFuture<'_, Result<Vec<f32>>> {
        Box::pin(async move {
            let rest = || self.rest.as_ref().ok_or_else(not_taken);
            let matrix = match matrix {
                BlockMatrix::Qkv => &self.w_qkv,
                BlockMatrix::O => &rest()?.w_o,
                BlockMatrix::Out => &rest()?.w_out,
            };
            let part = MatrixPart {
                inputs: rows,
                outputs: columns,
            };
            self.products.read(matrix, part)
        })
    }
}

fn not_taken() -> Error {
    Error::new(ErrorKind::Internal, "a block was used before all of it was read")
}
