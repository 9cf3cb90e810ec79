//! Cells in rows and columns with a name each: heads by layer, a pattern by tokens, a table of components.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::axis::Sizes;
use super::color_bar::ColorBar;
use super::geometry::Rect;
use super::marks::{SMALLEST_FONT, draw_cell, draw_picked_cell};
use super::pen::Pen;
use super::scene::{Drawable, Laid, LaidOut, NARROW, SVG_SIZE};
use super::title::Title;
use super::{DrawOptions, Hover, Step, Target, text};

/// Most characters of a row's or column's name that are written.
const LONGEST_NAME: usize = 14;

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
    /// The cells, `[rows, columns]`; None where there is nothing.
    pub cells: Vec<Vec<Option<MatrixCell>>>,
    /// What the colors mean.
    pub colors: Colors,
    /// The cell that is picked.
    pub pick: Option<(usize, usize)>,
}

/// One cell of a [`MatrixPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixCell {
    /// Its value.
    pub value: f32,
    /// What is written on it, where there is room; empty for nothing.
    pub label: String,
    /// What is to be said about it, a line each.
    pub lines: Vec<String>,
}

/// What the colors of a [`MatrixPlot`] mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Colors {
    /// From 0 to this.
    UpTo(f64),
    /// From minus this to this.
    Diverging(f64),
}

impl Colors {
    /// The largest value that has a color of its own.
    pub fn limit(self) -> f64 {
        match self {
            Self::UpTo(limit) | Self::Diverging(limit) if limit > 0.0 => limit,
            _ => 1.0,
        }
    }
}

impl MatrixPlot {
    /// The cell in `row` and `column`, if there is one.
    pub fn cell(&self, row: usize, column: usize) -> Option<&MatrixCell> {
        self.cells.get(row)?.get(column)?.as_ref()
    }

    fn walk(&self, (row, column): (usize, usize), step: Step) -> (usize, usize) {
        let here = |row: &usize, column: &usize| self.cell(*row, *column).is_some();
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

impl Drawable for MatrixPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(Laid { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    /// Square cells where there is room for them.
    fn height(&self, width: f64) -> f64 {
        let cell = (width - 120.0).max(60.0) / self.columns.len().max(1) as f64;
        let cell = cell.clamp(3.0, 40.0);
        (self.rows.len() as f64 * cell + 110.0).clamp(170.0, 900.0).round()
    }

    /// Larger where there are many cells.
    fn picture_size(&self) -> (u32, u32) {
        let pixels = |count: usize, around: u32| around + 24 * count.min(120) as u32;
        let (width, height) = (pixels(self.columns.len(), 260), pixels(self.rows.len(), 190));
        (SVG_SIZE.0.max(width), SVG_SIZE.1.max(height))
    }
}

impl LaidOut for Laid<MatrixPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout) = (&self.plot, &self.layout);
        let limit = plot.colors.limit();
        for (row, cells) in plot.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let labels = [cell.label.clone()].into_iter().filter(|label| !label.is_empty());
                let value = (f64::from(cell.value), limit);
                draw_cell(pen, layout.cell(row, column), value, labels, layout.cell_font);
            }
        }
        if let Some((row, column)) = plot.pick {
            draw_picked_cell(pen, layout.cell(row, column));
        }
        layout.color_bar.draw(pen);
        layout.title.draw(pen);
        layout.draw_labels(plot, pen);
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let (row, column) = self.layout.cell_at(point)?;
        self.plot.cell(row, column).map(|_| Target::Cell(row, column))
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Cell(row, column) = target else { return None };
        let cell = self.plot.cell(row, column)?;
        let mark = self.layout.cell(row, column);
        Some(Hover {
            target,
            anchor: (mark.center().0, mark.top),
            mark,
            area: self.layout.grid,
            lines: cell.lines.clone(),
        })
    }

    /// Past places where there is nothing; first to the picked cell.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let plot = &self.plot;
        let places = || (0..plot.rows.len()).flat_map(|row| (0..plot.columns.len()).map(move |column| (row, column)));
        let (row, column) = match from {
            Some(Target::Cell(row, column)) => plot.walk((row, column), step),
            _ => plot
                .pick
                .or_else(|| places().find(|&(row, column)| plot.cell(row, column).is_some()))?,
        };
        Some(Target::Cell(row, column))
    }
}

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    title: Title,
    sizes: Sizes,
    grid: Rect,
    rows: usize,
    columns: usize,
    y_title: f64,
    cell_font: Option<f64>,
    /// Names of columns stand upright, where they are too long to lie.
    upright: bool,
    names_below: f64,
    color_bar: ColorBar,
}

impl Layout {
    fn new(plot: &MatrixPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let sizes = Sizes::new(&options.theme, if narrow { 0.85 } else { 1.0 });
        let title = Title::new(&plot.title, width, narrow, options);
        let widest = |names: &[String]| {
            let widths = names.iter().map(|name| text::width(&cut(name), sizes.font));
            widths.fold(0.0, f64::max)
        };
        let (of_rows, of_columns) = (widest(&plot.rows), widest(&plot.columns));
        let (rows, columns) = (plot.rows.len().max(1), plot.columns.len().max(1));
        let left = of_rows + 8.0 + sizes.title * 1.8;
        let bar_room = if narrow { 46.0 } else { 76.0 };
        let room = (width - left - bar_room).max(1.0);
        let upright = of_columns + 4.0 > room / columns as f64;
        let names_below = if upright {
            of_columns.min(room) + 8.0
        } else {
            sizes.font * 1.8
        };
        let below = names_below + sizes.title * 1.8;
        let cell = (room / columns as f64).min(((height - title.bottom() - below) / rows as f64).max(1.0));
        let grid = Rect {
            left,
            top: title.bottom(),
            right: left + cell * columns as f64,
            bottom: title.bottom() + cell * rows as f64,
        };
        let labels = plot
            .cells
            .iter()
            .flatten()
            .flatten()
            .map(|cell| text::width(&cell.label, 1.0));
        let widest_label = labels.fold(1.0, f64::max);
        let font = options
            .theme
            .font_size
            .min(cell * 0.75)
            .min((cell - 3.0) / widest_label);
        let bar = Rect {
            left: grid.right + 14.0,
            right: grid.right + if narrow { 22.0 } else { 30.0 },
            ..grid
        };
        Self {
            title,
            sizes,
            rows,
            columns,
            y_title: grid.left - of_rows - 8.0 - sizes.title * 0.9,
            cell_font: (font >= SMALLEST_FONT).then_some(font),
            upright,
            names_below,
            color_bar: ColorBar::of(bar, plot.colors, true, sizes.font),
            grid,
        }
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        let size = self.grid.width() / self.columns as f64;
        let (left, top) = (self.grid.left + column as f64 * size, self.grid.top + row as f64 * size);
        Rect {
            left,
            top,
            right: left + size,
            bottom: top + size,
        }
    }

    fn cell_at(&self, point: (f64, f64)) -> Option<(usize, usize)> {
        let size = self.grid.width() / self.columns as f64;
        self.grid.contains(point).then(|| {
            let place = |from: f64, at: f64, count: usize| (((at - from) / size) as usize).min(count - 1);
            (
                place(self.grid.top, point.1, self.rows),
                place(self.grid.left, point.0, self.columns),
            )
        })
    }

    /// Names of every row and column, or of every n-th where they would touch; always of the picked one.
    fn draw_labels(&self, plot: &MatrixPlot, pen: &mut Pen<'_>) {
        let (color, size, grid) = (pen.theme().text.to_rgba(), self.sizes.font, self.grid);
        let cell = grid.width() / self.columns as f64;
        let every = |length: f64| (length / cell).ceil().max(1.0) as usize;
        let shown = |index: usize, every: usize, picked: Option<usize>| match picked {
            Some(picked) if every > 1 => index == picked || index % every == 0 && index.abs_diff(picked) >= every,
            _ => index % every == 0,
        };
        let (row_step, picked_row) = (every(size * 1.15), plot.pick.map(|(row, _)| row));
        for (row, name) in plot
            .rows
            .iter()
            .enumerate()
            .filter(|(row, _)| shown(*row, row_step, picked_row))
        {
            let at = (grid.left - 5.0, self.cell(row, 0).center().1);
            pen.write(&cut(name), at, size, color, HPos::Right);
        }
        let column_step = if self.upright { every(size * 1.15) } else { 1 };
        let picked_column = plot.pick.map(|(_, column)| column);
        let named = plot.columns.iter().enumerate();
        for (column, name) in named.filter(|(column, _)| shown(*column, column_step, picked_column)) {
            let (x, _) = self.cell(0, column).center();
            let name = cut(name);
            if self.upright {
                let half = text::width(&name, size) / 2.0;
                pen.write_upwards(&name, (x, grid.bottom + 5.0 + half), size, color);
            } else {
                pen.write(&name, (x, grid.bottom + size), size, color, HPos::Center);
            }
        }
        let (x, y) = grid.center();
        let below = grid.bottom + self.names_below + self.sizes.title * 0.8;
        pen.write(&plot.x_label, (x, below), self.sizes.title, color, HPos::Center);
        pen.write_upwards(&plot.y_label, (self.y_title, y), self.sizes.title, color);
    }
}

/// `name`, cut where it is long.
fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name.to_owned(),
    }
}
