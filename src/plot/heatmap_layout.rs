//! The layout of a [`HeatmapPlot`].

use super::axis::Sizes;
use super::color_bar::{ColorBar, color_bar_area};
use super::geometry::Rect;
use super::marks::SMALLEST_FONT;
use super::scene::NARROW;
use super::title::Title;
use super::{DrawOptions, HeatmapPlot, text};
use crate::names::{CellName, Column, Component, Row};

/// How much longer one side of a cell may be than the other.
const STRETCH: f64 = 1.4;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    pub sizes: Sizes,
    /// All cells.
    pub grid: Rect,
    rows: usize,
    columns: usize,
    /// Middle of the title of the axis of layers.
    pub y_title: f64,
    /// Font size of cell labels; None when cells are too small for any.
    pub cell_font: Option<f64>,
    pub labeled_rows: Vec<usize>,
    pub labeled_columns: Vec<usize>,
    pub color_bar: ColorBar,
}

impl Layout {
    pub fn new(plot: &HeatmapPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let sizes = Sizes::new(&options.theme, if narrow { 0.85 } else { 1.0 });
        let title = Title::new(&plot.title, width, narrow, options);
        let top = title.bottom();
        let row_labels = plot
            .rows
            .iter()
            .map(|row| text::width(&row.to_string(), sizes.font))
            .fold(0.0, f64::max);
        let left_space = row_labels + 8.0 + sizes.title * 1.8;
        let below = sizes.below() + if narrow { 16.0 + sizes.font * 2.4 } else { 0.0 };
        let right_space = if narrow { 10.0 } else { 30.0 + 26.0 + 50.0 };
        let room = Rect {
            left: left_space,
            top,
            right: width - right_space,
            bottom: height - below,
        };
        let (rows, columns) = (plot.rows.len().max(1), plot.columns.len().max(1));
        let grid = grid(room, rows, columns, narrow);
        let cell = (grid.width() / columns as f64, grid.height() / rows as f64);

        let color_bar = color_bar_area(grid, narrow.then(|| grid.bottom + sizes.below()), (30.0, 26.0));
        let limit = Some(plot.limit).filter(|limit| *limit > 0.0).unwrap_or(1.0);
        Self {
            title,
            sizes,
            rows,
            columns,
            y_title: grid.left - row_labels - 8.0 - sizes.title * 0.9,
            cell_font: cell_font(plot, cell, options.theme.font_size),
            labeled_rows: labeled_rows(plot, sizes.font * 1.15 / cell.1),
            labeled_columns: labeled_columns(plot, cell.0, sizes.font),
            grid,
            color_bar: ColorBar::new(color_bar, limit, !narrow, sizes.font),
        }
    }

    /// Rectangle of the cell in `row` and `column`.
    pub fn cell(&self, row: usize, column: usize) -> Rect {
        let x = |column: usize| self.grid.left + self.grid.width() * column as f64 / self.columns as f64;
        let y = |row: usize| self.grid.top + self.grid.height() * row as f64 / self.rows as f64;
        Rect {
            left: x(column),
            top: y(row),
            right: x(column + 1),
            bottom: y(row + 1),
        }
    }

    /// Row and column of the cell at `point`.
    pub fn cell_at(&self, point: (f64, f64)) -> Option<(usize, usize)> {
        self.grid.contains(point).then(|| self.nearest_cell(point))
    }

    /// Row and column of the cell that is nearest to `point`.
    pub fn nearest_cell(&self, point: (f64, f64)) -> (usize, usize) {
        let (x, y) = self.grid.nearest(point);
        let column = (x - self.grid.left) / self.grid.width() * self.columns as f64;
        let row = (y - self.grid.top) / self.grid.height() * self.rows as f64;
        (
            (row as usize).min(self.rows - 1),
            (column as usize).min(self.columns - 1),
        )
    }
}

/// The grid in `room`: cells as large as fit, but not far from square.
fn grid(room: Rect, rows: usize, columns: usize, narrow: bool) -> Rect {
    let width = (room.width() / columns as f64).max(1.0);
    let height = (room.height() / rows as f64).max(1.0);
    let (width, height) = (width.min(STRETCH * height), height.min(STRETCH * width));
    let spare = (room.width() - width * columns as f64).max(0.0);
    // A phone's plot starts at the left; a wide one stands in the middle.
    let left = room.left + if narrow { 0.0 } else { spare / 2.0 };
    Rect {
        left,
        top: room.top,
        right: left + width * columns as f64,
        bottom: room.top + height * rows as f64,
    }
}

fn cell_font(plot: &HeatmapPlot, (width, height): (f64, f64), font_size: f64) -> Option<f64> {
    // "10.11" is the usual longest label; one that is longer and does not fit is left out by itself.
    let heads = plot.cells.iter().flatten().flatten().filter(|cell| is_head(&cell.id));
    let widest = heads.map(|cell| text::width(&cell.label, 1.0)).fold(1.0, f64::max);
    let size = font_size.min(height * 0.75).min((width - 4.0) / widest);
    (size >= SMALLEST_FONT).then_some(size)
}

/// Whether a cell is called after a head.
fn is_head(name: &CellName) -> bool {
    matches!(
        name,
        CellName::Component(Component::Head(_)) | CellName::Other(_, Column::Head(_))
    )
}

/// Every `step`-th of `count`.
fn every(step: f64, count: usize) -> Vec<usize> {
    (0..count).step_by(step.max(1.0) as usize).collect()
}

/// The misc row, and every n-th layer; a label takes up `lines` rows.
fn labeled_rows(plot: &HeatmapPlot, lines: f64) -> Vec<usize> {
    let first_layer = plot.rows.iter().position(|row| *row != Row::Embeddings).unwrap_or(0);
    let embeddings = 0..first_layer;
    let layers = every(lines.ceil(), plot.rows.len() - first_layer)
        .into_iter()
        .map(|layer| layer + first_layer);
    embeddings
        .chain(layers.filter(|&row| first_layer == 0 || row as f64 >= lines))
        .collect()
}

/// Columns whose names fit side by side: those at the end that are no heads first, then every n-th head.
fn labeled_columns(plot: &HeatmapPlot, cell: f64, font_size: f64) -> Vec<usize> {
    let width = |column: usize| text::width(&plot.columns[column].to_string(), font_size) + 3.0;
    let widest = (0..plot.columns.len()).map(width).fold(0.0, f64::max);
    let is_head = |column: &usize| matches!(plot.columns[*column], Column::Head(_));
    let heads = every((widest / cell).ceil(), plot.columns.len())
        .into_iter()
        .filter(is_head);
    let others = (0..plot.columns.len()).filter(|column| !is_head(column));
    let mut chosen: Vec<usize> = Vec::new();
    for column in others.chain(heads) {
        let apart = |other: &usize| column.abs_diff(*other) as f64 * cell >= (width(column) + width(*other)) / 2.0;
        if chosen.iter().all(apart) {
            chosen.push(column);
        }
    }
    chosen
}
