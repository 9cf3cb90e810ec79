//! The heatmap of mean contributions of components: one row per layer, one column per head, MLP and b_O.

use super::heatmap_cells::{Cell, Table};
use super::{CellRange, HeatmapView};
use crate::analysis::Heatmap;
use crate::error::{Error, ErrorKind, Result};
use crate::math::sort_descending;
use crate::names::{Column, Row};
use crate::result::ResultFile;

/// A heatmap of contributions on a diverging color scale centered at 0.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatmapPlot {
    /// Title.
    pub title: String,
    /// Title of the axis of components.
    pub x_label: String,
    /// Title of the axis of layers.
    pub y_label: String,
    /// Names of the rows that are shown.
    pub rows: Vec<Row>,
    /// Names of the columns that are shown.
    pub columns: Vec<Column>,
    /// The cells that are shown, `[rows, columns]`; None where there is no component.
    pub cells: Vec<Vec<Option<Cell>>>,
    /// Sum of all cells, also those outside the part that is shown.
    pub sum: f64,
    /// Largest absolute value of all cells: both ends of the color scale. Zooming changes no color.
    pub limit: f64,
    /// The prompt whose contributions these are, by its number in the result; None for the mean over prompts.
    pub prompt: Option<usize>,
    /// The cell that is picked, by row and column of [`HeatmapPlot::cells`].
    pub pick: Option<(usize, usize)>,
    /// All rows and columns, by index in the result's heatmap.
    pub(super) all: CellRange,
    /// Which of them the rows and columns shown are.
    pub(super) row_places: Vec<usize>,
    pub(super) column_places: Vec<usize>,
}

impl HeatmapPlot {
    /// The heatmap of `result` that `view` names, shown as it says; the cells of prompt `prompt` instead of their mean
    /// where the result has them. A part that is empty is ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` has no such heatmap.
    pub fn of_result(result: &ResultFile, view: &HeatmapView, prompt: Option<usize>) -> Result<Self> {
        let name = &view.name;
        let heatmap = result.heatmap(name).ok_or_else(|| {
            let names = result.heatmap_names();
            let expected = if names.is_empty() {
                "it has none".to_owned()
            } else {
                names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            Error::new(ErrorKind::Plot, format!("the result has no heatmap \"{name}\"")).expected(expected)
        })?;
        let (prompt, values) = heatmap.of_prompt_or_mean(prompt);
        let plot = Self::new(heatmap, values, view);
        let sum = if prompt.is_some() {
            plot.sum
        } else {
            // The file's own sum of all cells has the digits of what it was computed from.
            f64::from(heatmap.sum) - (Table::new(heatmap, values).values().sum::<f64>() - plot.sum)
        };
        let whose = prompt.map_or_else(String::new, |prompt| format!(", prompt {}", prompt + 1));
        let title = format!(
            "Contribution to attention scores of {} ({}{whose})",
            result.head_name(),
            name.in_title()
        );
        Ok(Self {
            title: result.with_position_names(title),
            prompt,
            sum,
            ..plot
        })
    }

    fn new(heatmap: &Heatmap, values: &[f32], view: &HeatmapView) -> Self {
        let (rows, columns) = (heatmap.rows(), heatmap.columns());
        let mut table = Table::new(heatmap, values);
        if view.as_in_notebook {
            table.hide_biases(&columns);
        }
        let (sum, limit) = (table.values().sum(), table.values().map(f64::abs).fold(0.0, f64::max));
        let first_and_last = |places: &[usize]| {
            (
                places.first().copied().unwrap_or(0),
                places.last().copied().unwrap_or(0),
            )
        };
        let all = CellRange {
            rows: first_and_last(&table.rows),
            columns: first_and_last(&table.columns),
        };
        let within = |(first, last): (usize, usize), place: usize| (first..=last).contains(&place);
        if let Some(zoom) = view.zoom
            && table.rows.iter().any(|row| within(zoom.rows, *row))
            && table.columns.iter().any(|column| within(zoom.columns, *column))
        {
            table.keep(|row| within(zoom.rows, row), |column| within(zoom.columns, column));
        }
        let pick = view.pick.and_then(|(row, column)| {
            let row = table.rows.iter().position(|place| *place == row)?;
            let column = table.columns.iter().position(|place| *place == column)?;
            table.cells.get(row)?.get(column)?.is_some().then_some((row, column))
        });
        Self {
            title: String::new(),
            x_label: "Component (attn heads & MLP)".to_owned(),
            y_label: "Layer".to_owned(),
            rows: picked(&table.rows, &rows),
            columns: picked(&table.columns, &columns),
            cells: table.cells,
            sum,
            limit,
            prompt: None,
            pick,
            all,
            row_places: table.rows,
            column_places: table.columns,
        }
    }

    /// Name, value and place in the result's heatmap of each cell that is shown, the largest in size first.
    pub fn by_size(&self) -> Vec<(String, f64, (usize, usize))> {
        let cells = self.cells.iter().flatten().flatten();
        let mut all: Vec<_> = cells
            .map(|cell| (cell.name.clone(), f64::from(cell.value), cell.place))
            .collect();
        sort_descending(&mut all, |one| one.1.abs());
        all
    }

    /// The cell in `row` and `column`, if a component stands there.
    pub fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        self.cells.get(row)?.get(column)?.as_ref()
    }
}

/// The items at `places`.
fn picked<T: Clone>(places: &[usize], items: &[T]) -> Vec<T> {
    places.iter().filter_map(|&place| items.get(place).cloned()).collect()
}
