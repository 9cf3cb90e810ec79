//! Pointer and keyboard targets of a [`HeatmapPlot`], and their descriptions.

use std::sync::Arc;

use super::heatmap_layout::Layout;
use super::pen::Pen;
use super::scene::{Drawable, LaidOut, NARROW, PlotWithLayout, SVG_SIZE, Zoom};
use super::{CellRange, DrawOptions, HeatmapPlot, Hover, Rect, Step, Target};
use crate::quantities::{measured, number};

impl Drawable for HeatmapPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    /// The same for any part of the heatmap.
    fn height(&self, width: f64) -> f64 {
        let count = |(first, last): (usize, usize)| (last.saturating_sub(first) + 1) as f64;
        let (rows, columns) = (count(self.all.rows), count(self.all.columns));
        let cell = ((width - 110.0) / columns).clamp(18.0, 42.0);
        (rows * cell * if width < NARROW { 1.25 } else { 0.95 } + 90.0)
            .clamp(190.0, 900.0)
            .round()
    }

    /// Larger where a model has many layers and heads, so that the cells can be read.
    fn picture_size(&self) -> (u32, u32) {
        let pixels = |count: usize, each: u32, around: u32| around + each * count.min(1000) as u32;
        let (width, height) = (pixels(self.columns.len(), 40, 190), pixels(self.rows.len(), 36, 130));
        (SVG_SIZE.0.max(width), SVG_SIZE.1.max(height))
    }
}

impl LaidOut for PlotWithLayout<HeatmapPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        self.plot.draw(pen, &self.layout);
    }

    /// The cell at `point`, where a component stands.
    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let (row, column) = self.layout.cell_at(point)?;
        self.plot.cell(row, column).map(|_| Target::Cell(row, column))
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Cell(row, column) = target else { return None };
        let (layout, sum, cell) = (&self.layout, self.plot.sum, self.plot.cell(row, column)?);
        let value = f64::from(cell.value);
        let largest = self.plot.limit;
        let mut lines = vec![cell.name.clone(), format!("contribution {}", measured(value, largest))];
        if sum != 0.0 {
            let share = number(100.0 * value / sum, 1);
            lines.push(format!("{share} % of the sum {}", measured(sum, largest)));
        }
        let mark = layout.cell(row, column);
        Some(Hover::new(target, mark, layout.grid, lines))
    }

    /// Past places without a component.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let plot = &self.plot;
        let Some(Target::Cell(row, column)) = from else {
            return plot.first_cell();
        };
        let here = |row: usize, column: usize| plot.cell(row, column).is_some();
        let (columns, rows) = (plot.columns.len(), plot.rows.len());
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

    /// The cells between two points, and their range: None for the range when it is all there are. None when the
    /// points are not in two cells.
    fn select(&self, from: (f64, f64), to: (f64, f64)) -> Option<(Rect, Zoom)> {
        let (plot, layout) = (&self.plot, &self.layout);
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
            rows: (*plot.row_places.get(top)?, *plot.row_places.get(bottom)?),
            columns: (*plot.column_places.get(left)?, *plot.column_places.get(right)?),
        };
        Some((rect, Zoom::Cells(plot.unless_all(range))))
    }

    fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<Zoom> {
        Some(Zoom::Cells(self.plot.zoomed(target, factor)))
    }

    /// By whole cells, as far as there are any.
    fn moved(&self, from: (f64, f64), to: (f64, f64)) -> Option<Zoom> {
        let (plot, cell) = (&self.plot, self.layout.cell(0, 0));
        let first_and_last = |places: &[usize]| Some((*places.first()?, *places.last()?));
        let shown = CellRange {
            rows: first_and_last(&plot.row_places)?,
            columns: first_and_last(&plot.column_places)?,
        };
        plot.unless_all(shown)?;
        let moved = |(first, last): (usize, usize), (least, most): (usize, usize), by: f64| {
            let length = last - first;
            let first = (first as f64 + by.round()).clamp(least as f64, most.saturating_sub(length).max(least) as f64);
            (first as usize, first as usize + length)
        };
        Some(Zoom::Cells(plot.unless_all(CellRange {
            rows: moved(shown.rows, plot.all.rows, (from.1 - to.1) / cell.height()),
            columns: moved(shown.columns, plot.all.columns, (from.0 - to.0) / cell.width()),
        })))
    }

    fn picked(&self) -> Option<Target> {
        self.plot.pick.map(|(row, column)| Target::Cell(row, column))
    }
}

impl HeatmapPlot {
    fn first_cell(&self) -> Option<Target> {
        let places = (0..self.rows.len()).flat_map(|row| (0..self.columns.len()).map(move |column| (row, column)));
        let mut filled = places.filter(|&(row, column)| self.cell(row, column).is_some());
        filled.next().map(|(row, column)| Target::Cell(row, column))
    }

    /// `factor` times as many rows and columns as are shown, around `target` or their middle. None for all.
    fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<CellRange> {
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
