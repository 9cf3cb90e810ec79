//! The components of the heatmap's cells.

use crate::analysis::Heatmap;
use crate::names::{CellName, Column, Component};

/// One cell: a component and its contribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The component or sum that it stands for.
    pub id: CellName,
    /// Short name, written on the cell: "9.3", "MLP6", "W_E".
    pub label: String,
    /// Name for people: "head 9.3", "MLP 6", "W_E (token embedding)".
    pub name: String,
    /// Contribution to the score: the mean over prompts, or one prompt's.
    pub value: f32,
    /// Row and column in the result's heatmap.
    pub place: (usize, usize),
}

/// Rows and columns of cells, and which of the result's they are.
pub(super) struct Table {
    pub rows: Vec<usize>,
    pub columns: Vec<usize>,
    /// None where there is no component.
    pub cells: Vec<Vec<Option<Cell>>>,
}

impl Table {
    /// The cells of `heatmap` with `values`, one per component.
    pub fn new(heatmap: &Heatmap, values: &[f32]) -> Self {
        let table = heatmap.table(values);
        let columns = heatmap.columns().len();
        let row = |(row, cells): (usize, Vec<_>)| {
            let cell = |(column, cell): (usize, Option<(Component, f32)>)| {
                let (component, value) = cell?;
                Some(Cell {
                    id: CellName::Component(component),
                    label: component.label(),
                    name: component.name(),
                    value,
                    place: (row, column),
                })
            };
            cells.into_iter().enumerate().map(cell).collect()
        };
        Self {
            rows: (0..table.len()).collect(),
            columns: (0..columns).collect(),
            cells: table.into_iter().enumerate().map(row).collect(),
        }
    }

    /// All values of components.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().flatten().flatten().map(|cell| f64::from(cell.value))
    }

    /// Removes the cells of attention output biases. Their column goes, too, unless another component
    /// stands in it (the misc row of a model with one head).
    pub fn hide_biases(&mut self, columns: &[Column]) {
        let Some(index) = columns.iter().position(|column| *column == Column::AttentionBias) else {
            return;
        };
        for cell in self.cells.iter_mut().filter_map(|row| row.get_mut(index)) {
            cell.take_if(|cell| matches!(cell.id, CellName::Component(Component::AttentionBias(_))));
        }
        if self.cells.iter().all(|row| row.get(index).is_none_or(Option::is_none)) {
            self.keep(|_| true, |column| column != index);
        }
    }

    /// Keeps the rows and columns that are wanted, by index in the result's heatmap.
    pub fn keep(&mut self, row_wanted: impl Fn(usize) -> bool, column_wanted: impl Fn(usize) -> bool) {
        let rows: Vec<bool> = self.rows.iter().map(|row| row_wanted(*row)).collect();
        let columns: Vec<bool> = self.columns.iter().map(|column| column_wanted(*column)).collect();
        filter(&mut self.rows, &rows);
        filter(&mut self.cells, &rows);
        filter(&mut self.columns, &columns);
        self.cells.iter_mut().for_each(|row| filter(row, &columns));
    }
}

/// Keeps the items that are wanted, one answer each.
fn filter<T>(items: &mut Vec<T>, wanted: &[bool]) {
    let mut answers = wanted.iter();
    items.retain(|_| answers.next().copied().unwrap_or(false));
}
