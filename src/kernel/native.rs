//! The kernels as a safe API on slices, with native threads.

use std::ops::Range;
use std::sync::atomic::AtomicU32;
use std::thread;

use super::attention::{Attention, NO_PARENT};
use super::functions::Function;
use super::norm::Norm;
use super::operations::{self, Input, Linear, work_len};
use super::output::Output;
use super::pack;
use super::phase::Phase;
use super::product;
use super::team::{Sleep, Team};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Activation;

/// A matrix `[rows, columns]`, packed for products with rows on its left.
pub struct Matrix {
    packed: Vec<f32>,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// Packs `values [rows, columns]`.
    ///
    /// # Errors
    /// If `values` is not of that size.
    pub fn new(values: &[f32], rows: usize, columns: usize) -> Result<Self> {
        check("the matrix", values.len(), rows * columns)?;
        let mut packed = vec![0.0; pack::matrix_len(rows, columns)];
        pack::pack_matrix(values, columns, rows, 0, &mut packed);
        Ok(Self { packed, rows, columns })
    }

    /// The elements in `rows` and `columns`, in row order.
    ///
    /// # Errors
    /// If there is no such part.
    pub fn elements(&self, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>> {
        self.check_part(&rows, &columns)?;
        let element = |row, column| self.packed[pack::place(self.rows, row, column)];
        let row = |row| columns.clone().map(move |column| element(row, column));
        Ok(rows.flat_map(row).collect())
    }

    fn check_part(&self, rows: &Range<usize>, columns: &Range<usize>) -> Result<()> {
        if rows.start <= rows.end
            && rows.end <= self.rows
            && columns.start <= columns.end
            && columns.end <= self.columns
        {
            return Ok(());
        }
        let cause = format!("a matrix has no part {rows:?} x {columns:?}");
        Err(Error::new(ErrorKind::Internal, cause).expected(format!("one of {} x {}", self.rows, self.columns)))
    }
}

/// The steps before and after a product.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// LayerNorm of the rows before the product.
    pub norm: Option<Norm<'a>>,
    /// `[columns]`, added to each row.
    pub bias: Option<&'a [f32]>,
    /// Applied after the bias.
    pub function: Function,
    /// `[rows, columns]`, added at the end.
    pub residual: Option<&'a [f32]>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            norm: None,
            bias: None,
            function: Function::Identity,
            residual: None,
        }
    }
}

/// The rows of a prefix tree, and the shape of the attention.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    /// For every row the row of the preceding position, None at position 0. Parents precede their children.
    pub parents: &'a [Option<usize>],
    /// The first row to compute; all later ones are computed, too.
    pub first: usize,
    /// Number of heads.
    pub n_head: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Factor of the product of query and key.
    pub factor: f32,
}

impl From<Activation> for Function {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::GeluNew => Self::GeluNew,
            Activation::Gelu => Self::Gelu,
            Activation::Relu => Self::Relu,
            Activation::Silu => Self::Silu,
        }
    }
}

/// The operations on a given number of threads.
///
/// ```
/// # fn main() -> keyside::Result<()> {
/// use keyside::kernel::{Kernel, Matrix, Options};
///
/// let matrix = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3)?;
/// let product = Kernel::new(1).product(&[1.0, 10.0], &matrix, Options::default())?;
/// assert_eq!(product, [41.0, 52.0, 63.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    threads: usize,
}

impl Kernel {
    /// With `threads` threads, including the calling one; always one where threads are not available (WebAssembly).
    pub fn new(threads: usize) -> Self {
        let threads = if cfg!(target_arch = "wasm32") {
            1
        } else {
            threads.max(1)
        };
        Self { threads }
    }

    /// `function(norm(x) matrix + bias) + residual`, `[rows, columns]`, for `x [rows, rows of the matrix]`.
    ///
    /// # Errors
    /// If sizes do not fit.
    pub fn product(self, x: &[f32], matrix: &Matrix, options: Options<'_>) -> Result<Vec<f32>> {
        self.product_of_part(x, matrix, [0..matrix.rows, 0..matrix.columns], options)
    }

    /// The same with a part of the matrix: some of its rows and columns.
    ///
    /// # Errors
    /// If sizes do not fit, or there is no such part.
    pub fn product_of_part(
        self,
        x: &[f32],
        matrix: &Matrix,
        [rows, columns]: [Range<usize>; 2],
        options: Options<'_>,
    ) -> Result<Vec<f32>> {
        matrix.check_part(&rows, &columns)?;
        let input = input(x, rows.len(), options.norm)?;
        let linear = Linear {
            matrix: product::Matrix {
                first_row: rows.start,
                first_column: columns.start,
                columns: columns.len(),
                ..whole(matrix)
            },
            ..linear(matrix, None, options.function)?
        };
        if let Some(bias) = options.bias {
            check("the bias", bias.len(), columns.len())?;
        }
        let linear = Linear {
            bias: options.bias,
            ..linear
        };
        let mut out = vec![0.0; input.rows * columns.len()];
        if let Some(residual) = options.residual {
            check("the residual", residual.len(), out.len())?;
        }
        let mut work = vec![0.0; work_len(input.rows, &[input.width])];
        self.with_team(|team| {
            operations::product::<Yield>(team, input, linear, options.residual, &mut work, &mut out).is_ok()
        });
        Ok(out)
    }

    /// Two products, first with `w_in`, then with `w_out`: `norm`, `bias` and `function` of the first are those of
    /// `options[0]`, `bias` and `residual` of the second those of `options[1]`.
    ///
    /// # Errors
    /// If sizes do not fit.
    pub fn mlp(self, x: &[f32], w_in: &Matrix, w_out: &Matrix, options: [Options<'_>; 2]) -> Result<Vec<f32>> {
        let input = input(x, w_in.rows, options[0].norm)?;
        check("the hidden layer", w_in.columns, w_out.rows)?;
        let first = linear(w_in, options[0].bias, options[0].function)?;
        let second = linear(w_out, options[1].bias, options[1].function)?;
        let residual = options[1].residual;
        let mut out = vec![0.0; input.rows * w_out.columns];
        if let Some(residual) = residual {
            check("the residual", residual.len(), out.len())?;
        }
        let mut work = vec![0.0; work_len(input.rows, &[input.width, w_in.columns])];
        self.with_team(|team| {
            operations::mlp::<Yield>(team, input, [first, second], residual, &mut work, &mut out).is_ok()
        });
        Ok(out)
    }

    /// `z [rows, n_head * d_head]` of the rows to compute, from `qkv [all rows, 3 * n_head * d_head]`.
    ///
    /// # Errors
    /// If sizes do not fit, or a row's parent does not come before it.
    pub fn attention(self, qkv: &[f32], tree: Tree<'_>) -> Result<Vec<f32>> {
        let all = tree.parents.len();
        let d = tree.n_head * tree.d_head;
        check("queries, keys and values", qkv.len(), all * 3 * d)?;
        let mut parents = Vec::with_capacity(all);
        for (row, parent) in tree.parents.iter().enumerate() {
            match *parent {
                Some(parent) if parent >= row => {
                    return Err(
                        Error::new(ErrorKind::Internal, format!("row {row} follows row {parent}"))
                            .expected("a row that comes before it"),
                    );
                }
                Some(parent) => parents.push(parent as u32),
                None => parents.push(NO_PARENT),
            }
        }
        let rows = all.saturating_sub(tree.first);
        let mut z = vec![0.0; rows * d];
        let phase = Phase::Attention(Attention {
            qkv,
            parents: &parents,
            first: tree.first,
            rows,
            heads: tree.n_head,
            d_head: tree.d_head,
            factor: tree.factor,
            z: Output::new(&mut z),
        });
        self.with_team(|team| team.run::<Yield>(&phase).is_ok());
        Ok(z)
    }

    /// LayerNorm of `x [rows, width]`.
    ///
    /// # Errors
    /// If sizes do not fit.
    pub fn layer_norm(self, x: &[f32], width: usize, norm: Norm<'_>) -> Result<Vec<f32>> {
        check_norm(&norm, width)?;
        let rows = x.len() / width.max(1);
        check("the rows", x.len(), rows * width)?;
        let mut out = vec![0.0; x.len()];
        let phase = Phase::Norm {
            x,
            width,
            norm,
            out: Output::new(&mut out),
        };
        self.with_team(|team| team.run::<Yield>(&phase).is_ok());
        Ok(out)
    }

    /// Softmax of each row of `x [rows, width]`, in place.
    ///
    /// # Errors
    /// If sizes do not fit.
    pub fn softmax(self, x: &mut [f32], width: usize) -> Result<()> {
        let rows = x.len() / width.max(1);
        check("the rows", x.len(), rows * width)?;
        let x = Output::new(x);
        self.with_team(|team| team.run::<Yield>(&Phase::Softmax { x, rows, width }).is_ok());
        Ok(())
    }

    /// Runs `work` with a team that has the threads.
    fn with_team(self, work: impl FnOnce(&Team) -> bool) {
        let team = Team::new();
        if self.threads == 1 {
            work(&team);
            return;
        }
        thread::scope(|scope| {
            for _ in 1..self.threads {
                scope.spawn(|| team.serve::<Yield>(0));
            }
            work(&team);
            team.dismiss::<Yield>();
        });
    }
}

/// Threads that live as long as one operation; instead of sleeping they yield.
struct Yield;

impl Sleep for Yield {
    const MAX_IDLE_SLEEPS: Option<u32> = None;

    fn sleep(_: &AtomicU32, _: u32, _: i32) {
        thread::yield_now();
    }

    fn wake(_: &AtomicU32) {}
}

fn input<'a>(x: &'a [f32], width: usize, norm: Option<Norm<'a>>) -> Result<Input<'a>> {
    let rows = x.len() / width.max(1);
    check("the rows", x.len(), rows * width)?;
    if let Some(norm) = &norm {
        check_norm(norm, width)?;
    }
    Ok(Input { x, rows, width, norm })
}

fn linear<'a>(matrix: &'a Matrix, bias: Option<&'a [f32]>, function: Function) -> Result<Linear<'a>> {
    if let Some(bias) = bias {
        check("the bias", bias.len(), matrix.columns)?;
    }
    Ok(Linear {
        matrix: whole(matrix),
        bias,
        function,
    })
}

fn whole(matrix: &Matrix) -> product::Matrix<'_> {
    product::Matrix {
        packed: &matrix.packed,
        all_rows: matrix.rows,
        first_row: 0,
        first_column: 0,
        columns: matrix.columns,
    }
}

fn check_norm(norm: &Norm<'_>, width: usize) -> Result<()> {
    if let Some((weight, bias)) = norm.affine {
        check("LayerNorm's weight", weight.len(), width)?;
        check("LayerNorm's bias", bias.len(), width)?;
    }
    Ok(())
}

fn check(what: &str, len: usize, expected: usize) -> Result<()> {
    if len == expected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, format!("{what} has {len} numbers")).expected(format!("{expected}")))
}
