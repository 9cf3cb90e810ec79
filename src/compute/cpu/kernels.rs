//! Matrix products by keyside's own kernels, wherever they run: in a browser, in a separate WebAssembly module.

use std::ops::Range;
use std::rc::Rc;

use super::products::{Epilogue, MatrixPart, Products};
use crate::error::Result;
use crate::model::Activation;
use crate::names::EngineName;

/// Operations on matrices that are packed once into the kernels' own memory.
///
/// In a browser the worker implements it (`web`); there is a native implementation for tests. All operations are
/// synchronous: the calling thread takes part.
pub trait Kernels {
    /// The name of the engine: [`EngineName::Packed`] or [`EngineName::Relaxed`].
    fn name(&self) -> EngineName;

    /// Number of threads, including the calling one.
    fn threads(&self) -> usize;

    /// Packs `values [rows, columns]`; returns the number of the matrix.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Memory`] where there is no memory for it.
    fn pack(&self, values: &[f32], rows: usize, columns: usize) -> Result<usize>;

    /// Frees the memory of `matrix`.
    fn free(&self, matrix: usize);

    /// The elements of a part of `matrix`, in row order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] for what is not there.
    fn elements(&self, matrix: usize, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>>;

    /// Appends `activation(x W + b)` to `out`, for `x [rows, inputs]`, a part of a matrix, and an optional bias.
    ///
    /// # Errors
    /// As [`Kernels::pack`].
    fn product(&self, x: &[f32], linear: Linear<'_>, out: &mut Vec<f32>) -> Result<()>;

    /// Appends `second(first(x))` to `out`; the intermediate result stays in the kernels' memory.
    ///
    /// # Errors
    /// As [`Kernels::pack`].
    fn two_products(&self, x: &[f32], first: Linear<'_>, second: Linear<'_>, out: &mut Vec<f32>) -> Result<()>;

    /// Attention of all heads from the rows `first..` of a prefix tree: `z [rows, d_model]`.
    ///
    /// # Errors
    /// As [`Kernels::pack`].
    fn attention(&self, attention: TreeAttention<'_>) -> Result<Vec<f32>>;
}

/// A part of a matrix, with bias and activation.
#[derive(Debug, Clone)]
pub struct Linear<'a> {
    /// Number of the matrix.
    pub matrix: usize,
    /// The rows.
    pub inputs: Range<usize>,
    /// The columns.
    pub outputs: Range<usize>,
    /// Added to each row of the product, `[outputs]`.
    pub bias: Option<&'a [f32]>,
    /// Applied after that.
    pub activation: Option<Activation>,
}

/// Queries, keys and values of a prefix tree.
#[derive(Debug, Clone, Copy)]
pub struct TreeAttention<'a> {
    /// `[all rows, 3 * d_model]`.
    pub qkv: &'a [f32],
    /// For every row the row of the preceding position, None at position 0. Parents precede their children.
    pub parents: &'a [Option<usize>],
    /// The first row to compute.
    pub first: usize,
    /// Number of heads.
    pub n_head: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Factor of the product of query and key.
    pub factor: f32,
}

/// Matrix products by [`Kernels`].
pub(crate) struct Packed(Rc<dyn Kernels>);

impl Packed {
    /// By `kernel`.
    pub(crate) fn new(kernel: Rc<dyn Kernels>) -> Self {
        Self(kernel)
    }
}

/// A matrix in a kernel's memory, freed when dropped.
pub(crate) struct PackedMatrix {
    kernel: Rc<dyn Kernels>,
    number: usize,
    rows: usize,
    columns: usize,
}

impl PackedMatrix {
    fn with<'a>(&self, bias: Option<&'a [f32]>, activation: Option<Activation>) -> Linear<'a> {
        Linear {
            matrix: self.number,
            inputs: 0..self.rows,
            outputs: 0..self.columns,
            bias,
            activation,
        }
    }
}

impl Drop for PackedMatrix {
    fn drop(&mut self) {
        self.kernel.free(self.number);
    }
}

impl Products for Packed {
    type Matrix = PackedMatrix;

    fn name(&self) -> EngineName {
        self.0.name()
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn matrix(&self, elements: Vec<f32>, width: usize) -> Result<PackedMatrix> {
        let rows = elements.len() / width.max(1);
        Ok(PackedMatrix {
            kernel: Rc::clone(&self.0),
            number: self.0.pack(&elements, rows, width)?,
            rows,
            columns: width,
        })
    }

    fn product(&self, x: Vec<f32>, weight: &PackedMatrix, then: Epilogue<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.0.product(&x, weight.with(Some(then.bias), then.activation), out)
    }

    fn two_products(
        &self,
        x: Vec<f32>,
        [(first, then_first), (second, then_second)]: [(&PackedMatrix, Epilogue<'_>); 2],
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let first = first.with(Some(then_first.bias), then_first.activation);
        let second = second.with(Some(then_second.bias), then_second.activation);
        self.0.two_products(&x, first, second, out)
    }

    fn product_of_part(
        &self,
        x: Vec<f32>,
        weight: &PackedMatrix,
        MatrixPart { inputs, outputs }: MatrixPart,
    ) -> Result<Vec<f32>> {
        let mut out = Vec::new();
        let part = Linear {
            inputs,
            outputs,
            ..weight.with(None, None)
        };
        self.0.product(&x, part, &mut out)?;
        Ok(out)
    }

    fn read(&self, weight: &PackedMatrix, MatrixPart { inputs, outputs }: MatrixPart) -> Result<Vec<f32>> {
        self.0.elements(weight.number, inputs, outputs)
    }

    fn attention(&self, attention: &super::Attention<'_>) -> Option<Result<Vec<f32>>> {
        let parents = attention.rows.parents.get(..attention.rows.range.end)?;
        Some(self.0.attention(TreeAttention {
            qkv: attention.qkv,
            parents,
            first: attention.rows.range.start,
            n_head: attention.config.n_head,
            d_head: attention.config.d_head(),
            factor: (1.0 / attention.config.score_divisor(attention.layer)) as f32,
        }))
    }
}
