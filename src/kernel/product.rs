//! Product of packed rows and a packed matrix, tile by tile, with the steps before a tile is written.

use core::ops::Range;

use super::functions::Function;
use super::lanes::Lanes;
use super::output::Output;
use super::pack::{PANEL, STRIP};

/// Strips per tile: this many rows of 768 numbers are 144 KB.
pub(super) const TILE_STRIPS: usize = 12;
/// Panels per tile; few enough that the sums of a tile fit into the scratch array.
const TILE_PANELS: usize = 16;
/// Panels per tile if there are few rows, so that all threads have work.
const THIN_TILE_PANELS: usize = 8;
/// Number of terms that are added in one go: a panel of this many rows is 24 KB, which stays in the cache while strips
/// stream past.
const DEPTH: usize = 768;

/// `function(rows matrix + bias) + residual`.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    /// Packed rows, `[rows / 4][depth][4]`.
    pub(super) x: &'a [f32],
    pub(super) rows: usize,
    /// Number of terms of each sum.
    pub(super) depth: usize,
    /// A packed matrix.
    pub(super) matrix: Matrix<'a>,
    /// `[columns]`.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) function: Function,
    /// `[rows, columns]`.
    pub(super) residual: Option<&'a [f32]>,
    pub(super) out: Form,
    pub(super) to: Output<'a>,
}

/// A packed matrix, or a part of it.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    /// `[all columns / 8][all rows][8]`.
    pub(super) packed: &'a [f32],
    pub(super) all_rows: usize,
    /// The first row of the part.
    pub(super) first_row: usize,
    /// The first column of the part.
    pub(super) first_column: usize,
    pub(super) columns: usize,
}

/// The layout of the output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `[rows, columns]`.
    Plain,
    /// The layout of the packed rows of the next product.
    Packed,
}

/// Sums of a tile: 4 rows of 8 columns each, by strip and panel.
type Sums = [[[f32; PANEL]; STRIP]; TILE_STRIPS * TILE_PANELS];

impl Product<'_> {
    /// Number of strips per tile.
    fn strips(&self) -> usize {
        let strips = self.rows.div_ceil(STRIP);
        // As many as fit, such that all tiles are of similar size.
        strips.div_ceil(strips.div_ceil(TILE_STRIPS).max(1))
    }

    /// Number of panels per tile.
    fn panels(&self) -> usize {
        if self.rows <= TILE_STRIPS * STRIP {
            THIN_TILE_PANELS
        } else {
            TILE_PANELS
        }
    }

    /// The panels that contain the columns.
    fn all_panels(&self) -> Range<usize> {
        let Matrix {
            first_column, columns, ..
        } = self.matrix;
        first_column / PANEL..(first_column + columns).div_ceil(PANEL)
    }

    /// Number of tiles in vertical direction.
    fn tiles_of_rows(&self) -> usize {
        match self.strips() {
            0 => 0,
            strips => self.rows.div_ceil(STRIP).div_ceil(strips),
        }
    }

    /// Number of independent pieces of work.
    pub(super) fn tiles(&self) -> usize {
        match self.matrix.columns {
            0 => 0,
            _ => self.tiles_of_rows() * self.all_panels().len().div_ceil(self.panels()),
        }
    }

    pub(super) fn run<V: Lanes>(&self, tile: usize) {
        // Consecutive tiles share columns, so that the matrix is read from the cache.
        let (of_rows, of_columns) = (tile % self.tiles_of_rows(), tile / self.tiles_of_rows());
        let strips = of_rows * self.strips()..((of_rows + 1) * self.strips()).min(self.rows.div_ceil(STRIP));
        let all = self.all_panels();
        let first = all.start + of_columns * self.panels();
        let panels = first..(first + self.panels()).min(all.end);
        let mut sums: Sums = [[[0.0; PANEL]; STRIP]; TILE_STRIPS * TILE_PANELS];
        let sums = &mut sums[..strips.len() * panels.len()];
        for (panel, sums) in panels.clone().zip(sums.chunks_exact_mut(strips.len())) {
            let bias = self.bias_of(panel);
            sums.as_flattened_mut().fill(bias);
        }
        let mut start = 0;
        while start < self.depth {
            let terms = start..(start + DEPTH).min(self.depth);
            self.add_terms::<V>(&terms, &strips, &panels, sums);
            start = terms.end;
        }
        self.function.apply::<V>(sums.as_flattened_mut().as_flattened_mut());
        for (panel, sums) in panels.zip(sums.chunks_exact(strips.len())) {
            for (strip, sums) in strips.clone().zip(sums) {
                self.write::<V>(strip, panel, sums);
            }
        }
    }

    /// Adds some terms to the sums of a tile.
    #[inline(always)]
    fn add_terms<V: Lanes>(
        &self,
        terms: &Range<usize>,
        strips: &Range<usize>,
        panels: &Range<usize>,
        sums: &mut [[[f32; PANEL]; STRIP]],
    ) {
        let (x, _) = self.x.as_chunks::<STRIP>();
        let (matrix, _) = self.matrix.packed.as_chunks::<PANEL>();
        let mut sums = sums.iter_mut();
        for panel in panels.clone() {
            let matrix = &matrix[panel * self.matrix.all_rows + self.matrix.first_row + terms.start..][..terms.len()];
            for (strip, sums) in strips.clone().zip(&mut sums) {
                let x = &x[strip * self.depth + terms.start..][..terms.len()];
                match self.rows - strip * STRIP {
                    1 => add_products::<V, 1>(x, matrix, sums),
                    2 => add_products::<V, 2>(x, matrix, sums),
                    3 => add_products::<V, 3>(x, matrix, sums),
                    _ => add_products::<V, 4>(x, matrix, sums),
                }
            }
        }
    }

    /// The wanted columns of `panel`, and the index of the first one among all wanted columns.
    #[inline(always)]
    fn wanted(&self, panel: usize) -> (Range<usize>, usize) {
        let Matrix {
            first_column, columns, ..
        } = self.matrix;
        let start = first_column.saturating_sub(panel * PANEL);
        let end = (first_column + columns - panel * PANEL).min(PANEL);
        (start..end, panel * PANEL + start - first_column)
    }

    /// The bias of `panel`'s columns, 0 for columns that are not wanted.
    fn bias_of(&self, panel: usize) -> [f32; PANEL] {
        let mut bias = [0.0; PANEL];
        if let Some(all) = self.bias {
            let (wanted, at) = self.wanted(panel);
            copy(&all[at..][..wanted.len()], &mut bias, &wanted);
        }
        bias
    }

    /// Writes the wanted part of 4 rows of 8 columns, with the residual.
    #[inline(always)]
    fn write<V: Lanes>(&self, strip: usize, panel: usize, sums: &[[f32; PANEL]; STRIP]) {
        let (wanted, at) = self.wanted(panel);
        let columns = self.matrix.columns;
        let rows = strip * STRIP..((strip + 1) * STRIP).min(self.rows);
        let sums: [[V; 2]; STRIP] = [halves(&sums[0]), halves(&sums[1]), halves(&sums[2]), halves(&sums[3])];
        if self.out == Form::Packed {
            // SAFETY: strips and panels do not overlap, and each pair of them belongs to one tile.
            let to = unsafe { self.to.part((strip * columns + at) * STRIP, wanted.len() * STRIP) };
            let low = V::transpose(sums.map(|[low, _]| low));
            let high = V::transpose(sums.map(|[_, high]| high));
            let (to, _) = to.as_chunks_mut::<STRIP>();
            for (to, v) in to.iter_mut().zip(low.into_iter().chain(high).skip(wanted.start)) {
                v.store(to);
            }
            return;
        }
        for (row, [mut low, mut high]) in rows.zip(sums) {
            let start = row * columns + at;
            if let Some(residual) = self.residual {
                let mut of_row = [0.0; PANEL];
                copy(&residual[start..][..wanted.len()], &mut of_row, &wanted);
                let [of_low, of_high] = halves::<V>(&of_row);
                (low, high) = (low.add(of_low), high.add(of_high));
            }
            // SAFETY: as above.
            let to = unsafe { self.to.part(start, wanted.len()) };
            match to.as_chunks_mut::<4>() {
                ([to_low, to_high], _) => {
                    low.store(to_low);
                    high.store(to_high);
                }
                _ => {
                    let mut all = [0.0; PANEL];
                    let (fours, _) = all.as_chunks_mut::<4>();
                    low.store(&mut fours[0]);
                    high.store(&mut fours[1]);
                    to.copy_from_slice(&all[wanted.clone()]);
                }
            }
        }
    }
}

/// Copies to `to`, at `at`: all eight numbers at once if possible.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32; PANEL], at: &Range<usize>) {
    match from.try_into() {
        Ok(whole) => *to = whole,
        Err(_) => {
            for (to, from) in to[at.clone()].iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}

#[inline(always)]
fn halves<V: Lanes>(eight: &[f32; PANEL]) -> [V; 2] {
    let [a, b, c, d, e, f, g, h] = *eight;
    [V::load(&[a, b, c, d]), V::load(&[e, f, g, h])]
}

/// `sums += x^T matrix` for the first `R` of four rows: `2 R` sums of four lanes stay in registers.
///
/// 4 x 8 fits sixteen vector registers: 8 sums, 2 of the matrix, and one number of `x` at a time.
#[inline(always)]
fn add_products<V: Lanes, const R: usize>(
    x: &[[f32; STRIP]],
    matrix: &[[f32; PANEL]],
    sums: &mut [[f32; PANEL]; STRIP],
) {
    let mut totals = [[V::zero(); 2]; R];
    debug_assert_eq!(x.len(), matrix.len());
    let count = x.len().min(matrix.len());
    let (mut x, mut matrix) = (x.as_ptr(), matrix.as_ptr());
    // SAFETY: within both slices, or at their end.
    let end = unsafe { x.add(count) };
    while x != end {
        // SAFETY: `count` steps stay within both slices.
        unsafe {
            let (fours, _) = (*matrix).as_chunks::<4>();
            let (low, high) = (V::load(&fours[0]), V::load(&fours[1]));
            for (total, &x) in totals.iter_mut().zip(&*x) {
                let x = V::splat(x);
                total[0] = x.mul_add(low, total[0]);
                total[1] = x.mul_add(high, total[1]);
            }
            x = x.add(1);
            matrix = matrix.add(1);
        }
    }
    for (sums, [low, high]) in sums.iter_mut().zip(totals) {
        let (fours, _) = sums.as_chunks_mut::<4>();
        V::load(&fours[0]).add(low).store(&mut fours[0]);
        V::load(&fours[1]).add(high).store(&mut fours[1]);
    }
}
