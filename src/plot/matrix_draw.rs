//! Drawing a [`MatrixPlot`], and what a pointer or the keyboard meets on it.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::marks::{draw_cell, draw_picked_cell};
use super::matrix_layout::{Layout, suitable_height};
use super::pen::Pen;
use super::scene::{Drawable, Laid, LaidOut, SVG_SIZE};
use super::{DrawOptions, Hover, MatrixPlot, Step, Target, text};

/// Where cells are too small for something to be written on all of them, it is on those whose value is at least this part of the
/// limit.
const NAMED_FROM: f64 = 0.15;

impl Drawable for MatrixPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(Laid { plot: self, layout })
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

impl LaidOut for Laid<MatrixPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout) = (&self.plot, &self.layout);
        let limit = plot.colors.limit();
        for (row, cells) in plot.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let value = f64::from(cell.value);
                let is_named = layout.all_named || value.abs() >= NAMED_FROM * limit;
                let labels = Some(cell.label.clone()).filter(|label| is_named && !label.is_empty());
                let place = layout.inner(row, column);
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
        match layout.upright {
            true => {
                let half = text::width(name, size) / 2.0;
                pen.write_upwards(name, (x, grid.bottom + 6.0 + half), size, color);
            }
            false => pen.write(name, (x, grid.bottom + size), size, color, HPos::Center),
        }
    }
    let (at, size) = layout.x_title;
    pen.write(&plot.x_label, at, size, color, HPos::Center);
    let (at, size) = layout.y_title;
    pen.write_upwards(&plot.y_label, at, size, color);
}
