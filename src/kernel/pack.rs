//! Memory layouts: matrices in panels of eight columns, rows in strips of four.

use core::ops::Range;

use super::lanes::Lanes;
use super::norm::{Norm, Scaling};
use super::output::Output;

/// Columns per panel of a packed matrix, `[columns / 8][rows][8]`; the last panel is padded with zeros.
pub(super) const PANEL: usize = 8;
/// Rows per strip of packed rows, `[rows / 4][width][4]`; the last strip is padded.
pub(super) const STRIP: usize = 4;
/// Number of strips per piece of work.
const STRIPS: usize = 4;

/// Number of `f32`s of a packed matrix.
pub(super) fn matrix_len(rows: usize, columns: usize) -> usize {
    columns.div_ceil(PANEL) * PANEL * rows
}

/// Index in the packed matrix of the element in `row` and `column` of a matrix of `rows` rows.
pub(super) fn place(rows: usize, row: usize, column: usize) -> usize {
    (column / PANEL * rows + row) * PANEL + column % PANEL
}

/// Number of `f32`s of packed rows.
pub(super) fn rows_len(rows: usize, width: usize) -> usize {
    rows.div_ceil(STRIP) * STRIP * width
}

/// Packs `values [some rows, columns]` into the matrix `packed` of `rows` rows, starting at row `first`.
pub(super) fn pack_matrix(values: &[f32], columns: usize, rows: usize, first: usize, packed: &mut [f32]) {
    let (panels, _) = packed.as_chunks_mut::<PANEL>();
    for (row, values) in values.chunks_exact(columns.max(1)).enumerate() {
        for (panel, values) in values.chunks(PANEL).enumerate() {
            let to = &mut panels[panel * rows + first + row];
            match values.try_into() {
                Ok(whole) => *to = whole,
                Err(_) => {
                    *to = [0.0; PANEL];
                    to[..values.len()].copy_from_slice(values);
                }
            }
        }
    }
}

/// Packs rows into strips, after a LayerNorm if there is one.
#[derive(Clone, Copy)]
pub(super) struct PackRows<'a> {
    /// `[rows, width]`.
    pub(super) x: &'a [f32],
    pub(super) width: usize,
    pub(super) rows: usize,
    pub(super) norm: Option<Norm<'a>>,
    pub(super) packed: Output<'a>,
}

impl PackRows<'_> {
    /// Number of independent pieces of work.
    pub(super) fn tiles(&self) -> usize {
        self.rows.div_ceil(STRIPS * STRIP)
    }

    pub(super) fn run<V: Lanes>(&self, tile: usize) {
        let strips = self.rows.div_ceil(STRIP);
        for strip in tile * STRIPS..((tile + 1) * STRIPS).min(strips) {
            let len = self.width * STRIP;
            // SAFETY: strips do not overlap, and each belongs to one tile.
            let packed = unsafe { self.packed.part(strip * len, len) };
            self.strip::<V>(strip * STRIP..((strip + 1) * STRIP).min(self.rows), packed);
        }
    }

    fn strip<V: Lanes>(&self, rows: Range<usize>, packed: &mut [f32]) {
        let width = self.width;
        let (packed, _) = packed.as_chunks_mut::<STRIP>();
        // Missing rows are filled with copies of the last one; their results are not used.
        let row = |index: usize| &self.x[(rows.start + index).min(rows.end - 1) * width..][..width];
        let sources = [row(0), row(1), row(2), row(3)];
        let scalings = match self.norm {
            Some(norm) => sources.map(|source| Scaling::of::<V>(source, norm.eps)),
            None => [Scaling::NONE; STRIP],
        };
        let fours = sources.map(|source| source.as_chunks::<4>().0);
        let (to, rest) = packed.as_chunks_mut::<4>();
        for (at, to) in to.iter_mut().enumerate() {
            let mut columns = [V::zero(); 4];
            for (column, (fours, scaling)) in columns.iter_mut().zip(fours.iter().zip(scalings)) {
                let v = V::load(&fours[at]);
                *column = if self.norm.is_some() { scaling.apply(v) } else { v };
            }
            for (to, v) in to.iter_mut().zip(V::transpose(columns)) {
                v.store(to);
            }
        }
        let done = width - width % 4;
        for (at, to) in rest.iter_mut().enumerate() {
            let v = V::load(&sources.map(|source| source[done + at])).to_array();
            for ((to, v), scaling) in to.iter_mut().zip(v).zip(scalings) {
                *to = scaling.apply(V::splat(v)).to_array()[0];
            }
        }
        if let Some(Norm {
            affine: Some((weight, bias)),
            ..
        }) = self.norm
        {
            for ((to, &weight), &bias) in packed.iter_mut().zip(weight).zip(bias) {
                V::load(to).mul(V::splat(weight)).add(V::splat(bias)).store(to);
            }
        }
    }
}
