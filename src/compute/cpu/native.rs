//! The kernels as native code, without WebAssembly: for tests, and as an engine for comparison.

use std::cell::RefCell;
use std::ops::Range;

use super::kernels::{Kernels, Linear, TreeAttention};
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Function, Kernel, Matrix, Options, Tree};
use crate::names::EngineName;

/// Kernels whose matrices are in this process's memory.
pub struct NativeKernels {
    kernel: Kernel,
    threads: usize,
    /// Matrices by number; None for freed ones.
    matrices: RefCell<Vec<Option<Matrix>>>,
}

impl NativeKernels {
    /// With `threads` threads.
    pub fn new(threads: usize) -> Self {
        Self {
            kernel: Kernel::new(threads),
            threads: threads.max(1),
            matrices: RefCell::default(),
        }
    }

    /// Number of matrices that are not freed.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.matrices.borrow().iter().flatten().count()
    }

    fn with<R>(&self, number: usize, work: impl FnOnce(&Matrix) -> Result<R>) -> Result<R> {
        match self.matrices.borrow().get(number) {
            Some(Some(matrix)) => work(matrix),
            _ => Err(Error::new(
                ErrorKind::Internal,
                "a matrix was used that is not there any more",
            )),
        }
    }
}

impl Kernels for NativeKernels {
    fn name(&self) -> EngineName {
        EngineName::Packed
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn pack(&self, values: &[f32], rows: usize, columns: usize) -> Result<usize> {
        let matrix = Some(Matrix::new(values, rows, columns)?);
        let mut matrices = self.matrices.borrow_mut();
        match matrices.iter().position(Option::is_none) {
            Some(number) => {
                matrices[number] = matrix;
                Ok(number)
            }
            None => {
                matrices.push(matrix);
                Ok(matrices.len() - 1)
            }
        }
    }

    fn free(&self, matrix: usize) {
        if let Some(matrix) = self.matrices.borrow_mut().get_mut(matrix) {
            *matrix = None;
        }
    }

    fn elements(&self, matrix: usize, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>> {
        self.with(matrix, |matrix| matrix.elements(rows, columns))
    }

    fn product(&self, x: &[f32], linear: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.with(linear.matrix, |matrix| {
            let part = [linear.inputs.clone(), linear.outputs.clone()];
            out.extend(self.kernel.product_of_part(x, matrix, part, options(&linear))?);
            Ok(())
        })
    }

    fn two_products(&self, x: &[f32], first: Linear<'_>, second: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.with(first.matrix, |w_in| {
            self.with(second.matrix, |w_out| {
                out.extend(self.kernel.mlp(x, w_in, w_out, [options(&first), options(&second)])?);
                Ok(())
            })
        })
    }

    fn attention(&self, attention: TreeAttention<'_>) -> Result<Vec<f32>> {
        let tree = Tree {
            parents: attention.parents,
            first: attention.first,
            n_head: attention.n_head,
            d_head: attention.d_head,
            factor: attention.factor,
        };
        self.kernel.attention(attention.qkv, tree)
    }
}

/// The use of a product's result.
fn options<'a>(linear: &Linear<'a>) -> Options<'a> {
    Options {
        bias: linear.bias,
        function: linear.activation.map_or(Function::Identity, Function::from),
        ..Options::default()
    }
}
