//! The interface of matrix products on the CPU.

use std::ops::Range;

use super::attention::Attention;
use crate::error::Result;
use crate::math;
use crate::model::Activation;
use crate::names::EngineName;

/// Computes products with matrices that it owns.
pub(crate) trait Products {
    /// A matrix `[in, out]`.
    type Matrix;

    /// The name of the engine.
    fn name(&self) -> EngineName;

    /// Number of threads; 1 where the engine does not decide it.
    fn threads(&self) -> usize {
        1
    }

    /// Takes over a matrix of `width` columns, given in row order.
    fn matrix(&self, elements: Vec<f32>, width: usize) -> Result<Self::Matrix>;

    /// Appends `x [rows, in] W` to `out`, with the steps of `then`.
    fn product(&self, x: Vec<f32>, weight: &Self::Matrix, then: Epilogue<'_>, out: &mut Vec<f32>) -> Result<()>;

    /// Appends two consecutive products to `out`, each with its steps.
    fn two_products(
        &self,
        x: Vec<f32>,
        [(first, then_first), (second, then_second)]: [(&Self::Matrix, Epilogue<'_>); 2],
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let mut hidden = Vec::new();
        self.product(x, first, then_first, &mut hidden)?;
        self.product(hidden, second, then_second, out)
    }

    /// `x [rows, inputs] W[inputs, outputs]` for a part of the matrix.
    fn product_of_part(&self, x: Vec<f32>, weight: &Self::Matrix, part: MatrixPart) -> Result<Vec<f32>>;

    /// The elements of a part of the matrix in row order.
    fn read(&self, weight: &Self::Matrix, part: MatrixPart) -> Result<Vec<f32>>;

    /// `z [rows, d_model]` for rows without taps and edits; None if there is no special implementation.
    fn attention(&self, _attention: &Attention<'_>) -> Option<Result<Vec<f32>>> {
        None
    }
}

/// A part of a matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatrixPart {
    /// Rows.
    pub(crate) inputs: Range<usize>,
    /// Columns.
    pub(crate) outputs: Range<usize>,
}

/// The steps after a product `[rows, out]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// Added to each row, `[out]`.
    pub(crate) bias: &'a [f32],
    /// Applied to each number after the bias.
    pub(crate) activation: Option<Activation>,
}

impl<'a> Epilogue<'a> {
    /// Only adds `bias`.
    pub(crate) const fn bias(bias: &'a [f32]) -> Self {
        Self { bias, activation: None }
    }

    /// Applies the steps to `product [rows, out]`, and appends the result to `out`.
    pub(crate) fn append(self, product: &[f32], out: &mut Vec<f32>) {
        let rows = product.chunks_exact(self.bias.len());
        // A separate loop for each function, so that each compiles to SIMD code.
        match self.activation {
            None => append(rows, self.bias, out, |v| v),
            Some(Activation::GeluNew) => append(rows, self.bias, out, math::gelu_new),
            Some(Activation::Gelu) => append(rows, self.bias, out, math::gelu),
            Some(Activation::Relu) => append(rows, self.bias, out, |v| v.max(0.0)),
            Some(Activation::Silu) => append(rows, self.bias, out, math::silu),
        }
    }
}

/// Appends `activation` of each of `rows` with `bias` added.
fn append<'r>(
    rows: impl Iterator<Item = &'r [f32]>,
    bias: &[f32],
    out: &mut Vec<f32>,
    activation: impl Fn(f32) -> f32,
) {
    for row in rows {
        out.extend(row.iter().zip(bias).map(|(v, b)| activation(v + b)));
    }
}
