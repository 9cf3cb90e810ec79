//! Matrix products by the gemm crate, through candle.

use candle_core::Tensor;

use super::products::{Epilogue, MatrixPart, Products};
use crate::compute::tensor;
use crate::error::Result;
use crate::names::EngineName;

/// Matrix products by candle, whose tensors take over weights without copying.
pub(crate) struct Gemm;

impl Products for Gemm {
    type Matrix = Tensor;

    fn name(&self) -> EngineName {
        EngineName::Gemm
    }

    fn matrix(&self, elements: Vec<f32>, width: usize) -> Result<Tensor> {
        tensor::matrix(elements, width)
    }

    fn product(&self, x: Vec<f32>, weight: &Tensor, then: Epilogue<'_>, out: &mut Vec<f32>) -> Result<()> {
        tensor::read(&tensor::product(x, weight)?, |product| then.append(product, out))
    }

    fn product_of_part(
        &self,
        x: Vec<f32>,
        weight: &Tensor,
        MatrixPart { inputs, outputs }: MatrixPart,
    ) -> Result<Vec<f32>> {
        let part = weight
            .narrow(0, inputs.start, inputs.len())?
            .narrow(1, outputs.start, outputs.len())?;
        tensor::to_vec(&tensor::product(x, &part.contiguous()?)?)
    }

    fn read(&self, weight: &Tensor, MatrixPart { inputs, outputs }: MatrixPart) -> Result<Vec<f32>> {
        let width = weight.dim(1)?;
        tensor::read(weight, |elements| {
            let rows = elements.chunks_exact(width).skip(inputs.start).take(inputs.len());
            rows.filter_map(|row| row.get(outputs.clone()))
                .flatten()
                .copied()
                .collect()
        })
    }
}
