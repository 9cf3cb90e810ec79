//! What is at a place of a [`HeatmapPlot`], what is said about it, and where the arrow keys lead.

use super::heatmap_layout::Layout;
use super::{CellRange, HeatmapPlot, Hover, Rect, Step, Target, text};

impl HeatmapPlot {
    /// The cell at `point`, where a component stands.
    pub(super) fn target_at(&self, layout: &Layout, point: (f64, f64)) -> Option<Target> {
        let (row, column) = layout.cell_at(point)?;
        self.cell(row, column).map(|_| Target::Cell(row, column))
    }

    /// Where `target` stands and what is said about it. None when there is no such thing.
    pub(super) fn hover(&self, layout: &Layout, target: Target) -> Option<Hover> {
        let Target::Cell(row, column) = target else { return None };
        let cell = self.cell(row, column)?;
        let value = f64::from(cell.value);
        let mut lines = vec![cell.name.clone(), format!("contribution {}", text::number(value, 4))];
        if self.sum != 0.0 {
            let share = text::number(100.0 * value / self.sum, 1);
            lines.push(format!("{share} % of the sum {}", text::number(self.sum, 4)));
        }
        let mark = layout.cell(row, column);
        Some(Hover {
            target,
            anchor: (mark.center().0, mark.top),
            mark,
            area: layout.grid,
            lines,
        })
    }

    /// Where `step` leads from `from`, past places without a component.
    pub(super) fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let Some(Target::Cell(row, column)) = from else {
            return self.first_cell();
        };
        let here = |row: usize, column: usize| self.cell(row, column).is_some();
        let (columns, rows) = (self.columns.len(), self.rows.len());
        let along_row = |column: Option<usize>| column.map(|column| (row, column));
        let along_column = |row: Option<usize>| row.map(|row| (row, column));
        let found = match step {
            Step::Left => along_row((0..column).rev().find(|&column| here(row, column))),
            Step::Right => along_row((column + 1..columns).find(|&column| here(row, column))),
            Step::First => along_row((0..columns).find(|&column| here(row, column))),
            Step::Last => along_row((0..columns).rev().find(|&column| here(row, column))),
            Step::Up => along_column((0..row).rev().find(|&row| here(row, column))),
            Step::Down => along_column((row + 1..rows).find(|&row| here(row, column))),
        };
        let (row, column) = found.unwrap_or((row, column));
        Some(Target::Cell(row, column))
    }

    fn first_cell(&self) -> Option<Target> {
        let places = (0..self.rows.len()).flat_map(|row| (0..self.columns.len()).map(move |column| (row, column)));
        let mut filled = places.filter(|&(row, column)| self.cell(row, column).is_some());
        filled.next().map(|(row, column)| Target::Cell(row, column))
    }

    /// The cells between two points, and their range: None for the range when it is all there are. None when the
    /// points are not in two cells.
    pub(super) fn select(
        &self,
        layout: &Layout,
        from: (f64, f64),
        to: (f64, f64),
    ) -> Option<(Rect, Option<CellRange>)> {
        let (one, other) = (layout.cell_at(from)?, layout.nearest_cell(to));
        if one == other {
            return None;
        }
        let (top, bottom) = (one.0.min(other.0), one.0.max(other.0));
        let (left, right) = (one.1.min(other.1), one.1.max(other.1));
        let (first, last) = (layout.cell(top, left), layout.cell(bottom, right));
        let rect = Rect {
            right: last.right,
            bottom: last.bottom,
            ..first
        };
        let range = CellRange {
            rows: (*self.row_places.get(top)?, *self.row_places.get(bottom)?),
            columns: (*self.column_places.get(left)?, *self.column_places.get(right)?),
        };
        Some((rect, self.unless_all(range)))
    }

    /// `factor` times as many rows and columns as are shown, around `target` or their middle. None for all.
    pub(super) fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<CellRange> {
        let (row, column) = match target {
            Some(Target::Cell(row, column)) => (row, column),
            _ => (self.rows.len() / 2, self.columns.len() / 2),
        };
        let around = |places: &[usize], middle: usize, (low, high): (usize, usize)| {
            let count = ((places.len() as f64 * factor).ceil() as usize).clamp(1, high - low + 1);
            let middle = places.get(middle).copied().unwrap_or(low);
            let first = middle.saturating_sub(count / 2).clamp(low, high + 1 - count);
            (first, first + count - 1)
        };
        self.unless_all(CellRange {
            rows: around(&self.row_places, row, self.all.rows),
            columns: around(&self.column_places, column, self.all.columns),
        })
    }

    fn unless_all(&self, range: CellRange) -> Option<CellRange> {
        (range != self.all).then_some(range)
    }
}
