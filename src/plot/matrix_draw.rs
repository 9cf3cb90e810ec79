//! Drawing a [`MatrixPlot`], and its pointer and keyboard targets.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::marks::{draw_cell, draw_picked_cell};
use super::matrix_layout::{Layout, suitable_height};
use super::pen::Pen;
use super::scene::{Drawable, LaidOut, PlotWithLayout, SVG_SIZE};
use super::{DrawOptions, Hover, MatrixPlot, Step, Target, text};

/// Where cells are too small for something to be written on all of them, it is on those whose value is at least this part of the
/// limit.
const NAMED_FROM: f64 = 0.15;

impl Drawable for MatrixPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        suitable_height(self, width)
    }

    /// Larger where there are many cells.
    fn picture_size(&self) -> (u32, u32) {
        let pixels = |count: usize, around: u32| around + 24 * count.min(120) as u32;
        let (width, height) = (pixels(self.columns.len(), 260), pixels(self.rows.len(), 190));
        (SVG_SIZE.0.max(width), SVG_SIZE.1.max(height))
    }
}

impl LaidOut for PlotWithLayout<MatrixPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout) = (&self.plot, &self.layout);
        let limit = plot.colors.limit();
        let (of_rows, of_columns) = layout.blocks();
        let blocks = |count: usize, size: usize| {
            (0..count)
                .step_by(size)
                .map(move |first| (first, (first + size).min(count)))
        };
        for rows in blocks(plot.rows.len(), of_rows) {
            for columns in blocks(plot.columns.len(), of_columns) {
                let Some(value) = plot.cells.largest(rows, columns).map(f64::from) else {
                    continue;
                };
                let is_named = layout.all_named || value.abs() >= NAMED_FROM * limit;
                let is_one = layout.cell_font.is_some() && (of_rows, of_columns) == (1, 1);
                let label = (is_one && is_named).then(|| plot.cells.label(rows.0, columns.0));
                let labels = label.filter(|label| !label.is_empty());
                let place = layout.block(rows, columns);
                draw_cell(pen, place, (value, limit), labels.into_iter(), layout.cell_font);
            }
        }
        if let Some((row, column)) = plot.pick {
            draw_picked_cell(pen, layout.cell(row, column));
        }
        layout.color_bar.draw(pen);
        layout.title.draw(pen);
        draw_names(plot, layout, pen);
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let (row, column) = self.layout.cell_at(point)?;
        self.plot.value(row, column).map(|_| Target::Cell(row, column))
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Cell(row, column) = target else { return None };
        self.plot.value(row, column)?;
        let mark = self.layout.cell(row, column);
        let lines = self.plot.cells.lines(row, column);
        Some(Hover::new(target, mark, self.layout.grid, lines))
    }

    /// Past places where there is nothing; first to the picked cell.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let plot = &self.plot;
        let places = || (0..plot.rows.len()).flat_map(|row| (0..plot.columns.len()).map(move |column| (row, column)));
        let (row, column) = match from {
            Some(Target::Cell(row, column)) => plot.walk((row, column), step),
            _ => plot
                .pick
                .or_else(|| places().find(|&(row, column)| plot.value(row, column).is_some()))?,
        };
        Some(Target::Cell(row, column))
    }
}

/// Draws the names of rows and columns, and the titles of both axes.
fn draw_names(plot: &MatrixPlot, layout: &Layout, pen: &mut Pen<'_>) {
    let (color, size, grid) = (pen.theme().text.to_rgba(), layout.sizes.font, layout.grid);
    for &row in &layout.named_rows {
        let at = (grid.left - 5.0, layout.cell(row, 0).center().1);
        pen.write(&layout.rows[row], at, size, color, HPos::Right);
    }
    for &column in &layout.named_columns {
        let (x, _) = layout.cell(0, column).center();
        let name = &layout.columns[column];
        if layout.upright {
            let half = text::width(name, size) / 2.0;
            pen.write_upwards(name, (x, grid.bottom + 6.0 + half), size, color);
        } else {
            pen.write(name, (x, grid.bottom + size), size, color, HPos::Center)
        }
    }
    let (at, size) = layout.x_title;
    pen.write(&plot.x_label, at, size, color, HPos::Center);
    let (at, size) = layout.y_title;
    pen.write_upwards(&plot.y_label, at, size, color);
}
