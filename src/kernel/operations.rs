//! Operations as sequences of phases. They do not allocate: scratch memory is passed as `work`.

use super::functions::Function;
use super::norm::Norm;
use super::output::Output;
use super::pack::{PackRows, STRIP, rows_len};
use super::phase::Phase;
use super::product::{Form, Matrix, Product};
use super::team::{Lost, Sleep, Team};

/// Number of rows that go through an operation at a time: intermediate results stay small and in the cache.
const ROWS: usize = 512;

/// Rows `[rows, width]`, with the LayerNorm that is applied first.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) x: &'a [f32],
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) norm: Option<Norm<'a>>,
}

/// A matrix, and the steps after its product.
#[derive(Clone, Copy)]
pub(super) struct Linear<'a> {
    pub(super) matrix: Matrix<'a>,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) function: Function,
}

/// Number of `f32`s of scratch memory for `rows` rows with packed `widths`.
pub(super) fn work_len(rows: usize, widths: &[usize]) -> usize {
    let at_once = rows_at_once(rows);
    widths.iter().map(|&width| rows_len(at_once, width)).sum()
}

/// The number of rows per part: parts are of similar size and consist of whole strips.
fn rows_at_once(rows: usize) -> usize {
    rows.div_ceil(rows.div_ceil(ROWS).max(1)).next_multiple_of(STRIP)
}

/// `function(norm(x) matrix + bias) + residual`, written to `out [rows, columns]`.
pub(super) fn product<S: Sleep>(
    team: &Team,
    input: Input<'_>,
    linear: Linear<'_>,
    residual: Option<&[f32]>,
    work: &mut [f32],
    out: &mut [f32],
) -> Result<(), Lost> {
    let columns = linear.matrix.columns;
    let mut result = Ok(());
    for part in parts(&input) {
        let packed = pack::<S>(team, &input, &part, work, &mut result);
        let phase = Phase::Product(Product {
            x: packed,
            rows: part.len(),
            depth: input.width,
            matrix: linear.matrix,
            bias: linear.bias,
            function: linear.function,
            residual: residual.map(|residual| &residual[part.start * columns..part.end * columns]),
            out: Form::Plain,
            to: Output::new(&mut out[part.start * columns..part.end * columns]),
        });
        result = team.run::<S>(&phase).and(result);
    }
    result
}

/// Two products one after the other, `second(first(norm(x))) + residual`, written to `out [rows, second's columns]`.
/// The intermediate result is never complete in memory.
pub(super) fn mlp<S: Sleep>(
    team: &Team,
    input: Input<'_>,
    [first, second]: [Linear<'_>; 2],
    residual: Option<&[f32]>,
    work: &mut [f32],
    out: &mut [f32],
) -> Result<(), Lost> {
    let (hidden, columns) = (first.matrix.columns, second.matrix.columns);
    let (work, of_hidden) = work.split_at_mut(work_len(input.rows, &[input.width]));
    let mut result = Ok(());
    for part in parts(&input) {
        let packed = pack::<S>(team, &input, &part, work, &mut result);
        let phase = Phase::Product(Product {
            x: packed,
            rows: part.len(),
            depth: input.width,
            matrix: first.matrix,
            bias: first.bias,
            function: first.function,
            residual: None,
            out: Form::Packed,
            to: Output::new(&mut *of_hidden),
        });
        result = team.run::<S>(&phase).and(result);
        let phase = Phase::Product(Product {
            x: of_hidden,
            rows: part.len(),
            depth: hidden,
            matrix: second.matrix,
            bias: second.bias,
            function: second.function,
            residual: residual.map(|residual| &residual[part.start * columns..part.end * columns]),
            out: Form::Plain,
            to: Output::new(&mut out[part.start * columns..part.end * columns]),
        });
        result = team.run::<S>(&phase).and(result);
    }
    result
}

/// The parts in which rows go through an operation.
fn parts(input: &Input<'_>) -> impl Iterator<Item = core::ops::Range<usize>> {
    let (rows, at_once) = (input.rows, rows_at_once(input.rows).max(1));
    (0..rows)
        .step_by(at_once)
        .map(move |start| start..(start + at_once).min(rows))
}

/// Packs the rows `part` into `work`.
fn pack<'w, S: Sleep>(
    team: &Team,
    input: &Input<'_>,
    part: &core::ops::Range<usize>,
    work: &'w mut [f32],
    result: &mut Result<(), Lost>,
) -> &'w [f32] {
    let phase = Phase::PackRows(PackRows {
        x: &input.x[part.start * input.width..part.end * input.width],
        width: input.width,
        rows: part.len(),
        norm: input.norm,
        packed: Output::new(&mut *work),
    });
    if let Err(lost) = team.run::<S>(&phase) {
        *result = Err(lost);
    }
    work
}
