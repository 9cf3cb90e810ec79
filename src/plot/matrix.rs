//! A matrix of cells with named rows and columns: heads by layer, an attention pattern by tokens, a table of
//! components.

use super::Step;
use super::color_bar::Colors;
use super::matrix_cells::MatrixCells;

/// A table of colored cells.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixPlot {
    /// Title.
    pub title: String,
    /// Title of the axis of columns.
    pub x_label: String,
    /// Title of the axis of rows.
    pub y_label: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells, `[rows, columns]`.
    pub cells: MatrixCells,
    /// What the colors mean.
    pub colors: Colors,
    /// The cell that is picked.
    pub pick: Option<(usize, usize)>,
}

impl MatrixPlot {
    /// The value of the cell in `row` and `column`; None where there is nothing.
    pub fn value(&self, row: usize, column: usize) -> Option<f32> {
        let is_there = row < self.rows.len() && column < self.columns.len();
        self.cells.value(row, column).filter(|_| is_there)
    }

    /// Where `step` leads from a place, past places where there is nothing.
    pub(super) fn walk(&self, (row, column): (usize, usize), step: Step) -> (usize, usize) {
        let here = |row: &usize, column: &usize| self.value(*row, *column).is_some();
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let along_row = |column: Option<usize>| column.map(|column| (row, column));
        let along_column = |row: Option<usize>| row.map(|row| (row, column));
        let found = match step {
            Step::Left => along_row((0..column).rev().find(|column| here(&row, column))),
            Step::Right => along_row((column + 1..columns).find(|column| here(&row, column))),
            Step::First => along_row((0..columns).find(|column| here(&row, column))),
            Step::Last => along_row((0..columns).rev().find(|column| here(&row, column))),
            Step::Up => along_column((0..row).rev().find(|row| here(row, &column))),
            Step::Down => along_column((row + 1..rows).find(|row| here(row, &column))),
        };
        found.unwrap_or((row, column))
    }
}
