//! The cells of a [`MatrixPlot`](super::MatrixPlot): given as a list, or computed when they are needed.

use std::fmt;
use std::sync::Arc;

use super::scene::DynEq;

/// One cell of a [`MatrixPlot`](super::MatrixPlot).
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixCell {
    /// Its value.
    pub value: f32,
    /// What is written on it, where there is room; empty for nothing.
    pub label: String,
    /// What is to be said about it, a line each.
    pub lines: Vec<String>,
}

/// What cells come from. Of a pattern of a thousand tokens half a million are looked at, of which one is shown: words are made when
/// they are asked for.
pub trait CellSource: DynEq + Send + Sync {
    /// The value of the cell in `row` and `column`; None where there is nothing.
    fn value(&self, row: usize, column: usize) -> Option<f32>;

    /// What is written on it, where there is room; empty for nothing.
    fn label(&self, row: usize, column: usize) -> String;

    /// What is to be said about it, a line each.
    fn lines(&self, row: usize, column: usize) -> Vec<String>;
}

/// Cells that are given, `[rows, columns]`; None where there is nothing.
type Given = Vec<Vec<Option<MatrixCell>>>;

fn given(cells: &Given, row: usize, column: usize) -> Option<&MatrixCell> {
    cells.get(row)?.get(column)?.as_ref()
}

impl CellSource for Given {
    fn value(&self, row: usize, column: usize) -> Option<f32> {
        given(self, row, column).map(|cell| cell.value)
    }

    fn label(&self, row: usize, column: usize) -> String {
        given(self, row, column).map_or_else(String::new, |cell| cell.label.clone())
    }

    fn lines(&self, row: usize, column: usize) -> Vec<String> {
        given(self, row, column).map_or_else(Vec::new, |cell| cell.lines.clone())
    }
}

/// The cells of a [`MatrixPlot`](super::MatrixPlot), whatever they come from.
#[derive(Clone)]
pub struct MatrixCells(Arc<dyn CellSource>);

impl MatrixCells {
    /// Cells that are made when they are asked for.
    pub fn made(source: impl CellSource) -> Self {
        Self(Arc::new(source))
    }

    /// The value of the cell in `row` and `column`; None where there is nothing.
    pub fn value(&self, row: usize, column: usize) -> Option<f32> {
        self.0.value(row, column)
    }

    /// What is written on it, where there is room; empty for nothing.
    pub fn label(&self, row: usize, column: usize) -> String {
        self.0.label(row, column)
    }

    /// What is to be said about it, a line each.
    pub fn lines(&self, row: usize, column: usize) -> Vec<String> {
        self.0.lines(row, column)
    }

    /// The value that is largest in size of those in `rows` and `columns`, ends left out; None where there is nothing.
    pub fn largest(&self, rows: (usize, usize), columns: (usize, usize)) -> Option<f32> {
        let places = (rows.0..rows.1).flat_map(|row| (columns.0..columns.1).map(move |column| (row, column)));
        let values = places.filter_map(|(row, column)| self.value(row, column));
        values.reduce(|largest, value| if value.abs() > largest.abs() { value } else { largest })
    }
}

impl From<Given> for MatrixCells {
    fn from(cells: Given) -> Self {
        Self::made(cells)
    }
}

// Without the cells: what the page never prints shall not be in its code.
impl fmt::Debug for MatrixCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixCells").finish_non_exhaustive()
    }
}

impl PartialEq for MatrixCells {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (*self.0).is_same(&*other.0)
    }
}
