//! The cells of a heatmap: which component each of them is.

use crate::result::Heatmap;

/// Name of the row of components that belong to no layer.
pub(super) const MISC: &str = "misc";
/// Name of the column of attention output biases.
const B_O: &str = "b_O";

/// One cell: a component and its contribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
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
    /// The cells of the heatmap `name` with `values`, which has the shape of its mean values.
    pub fn new(heatmap: &Heatmap, name: &str, values: &[Vec<f32>]) -> Self {
        let bias = if name.starts_with("query") { "b_Q" } else { "b_K" };
        let row = |(row, (label, values)): (usize, (&String, &Vec<f32>))| {
            let columns = heatmap.columns.iter().zip(values).enumerate();
            let cell = |(column, (of, &value)): (usize, (&String, &f32))| {
                let (label, name) = component(label, of, column, bias)?;
                let place = (row, column);
                Some(Cell {
                    label,
                    name,
                    value,
                    place,
                })
            };
            columns.map(cell).collect()
        };
        Self {
            rows: (0..heatmap.rows.len()).collect(),
            columns: (0..heatmap.columns.len()).collect(),
            cells: heatmap.rows.iter().zip(values).enumerate().map(row).collect(),
        }
    }

    /// All values of components.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.cells.iter().flatten().flatten().map(|cell| f64::from(cell.value))
    }

    /// Removes the cells of attention output biases. Their column goes, too, unless another component
    /// stands in it (the misc row of a model with one head).
    pub fn hide_biases(&mut self, columns: &[String]) {
        let Some(index) = columns.iter().position(|column| column == B_O) else {
            return;
        };
        for cell in self.cells.iter_mut().filter_map(|row| row.get_mut(index)) {
            cell.take_if(|cell| cell.label.starts_with(B_O));
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

/// Short and long name of the component in `row` and `column` (number `index`), if there is one.
fn component(row: &str, column: &str, index: usize, bias: &str) -> Option<(String, String)> {
    if row == MISC {
        return match index {
            0 => Some(("W_E".to_owned(), "W_E (token embedding)".to_owned())),
            1 => Some(("W_pos".to_owned(), "W_pos (position embedding)".to_owned())),
            2 => Some((bias.to_owned(), format!("{bias} (bias of the map)"))),
            _ => None,
        };
    }
    Some(match column.strip_prefix("L.") {
        Some(head) => (format!("{row}.{head}"), format!("head {row}.{head}")),
        None if column == B_O => (format!("{B_O}{row}"), format!("{B_O} of layer {row}")),
        None => (format!("{column}{row}"), format!("{column} {row}")),
    })
}
