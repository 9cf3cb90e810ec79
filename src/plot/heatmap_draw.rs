//! Drawing a [`HeatmapPlot`].

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::geometry::Rect;
use super::heatmap_layout::{Layout, SMALLEST_FONT};
use super::pen::Pen;
use super::{Cell, HeatmapPlot, Theme, text};

/// Strips that the colour bar is made of.
const STRIPS: usize = 128;

impl HeatmapPlot {
    /// See [`super::LaidOut::draw`].
    pub(super) fn draw(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let theme = pen.theme();
        self.draw_cells(pen, layout, theme);
        pen.frame(layout.grid, 1.0, theme.axis.to_rgba());
        if let Some((row, column)) = self.pick {
            let cell = layout.cell(row, column);
            pen.frame(cell, 5.0, theme.background.to_rgba());
            pen.frame(cell, 2.5, theme.highlight.to_rgba());
        }
        draw_color_bar(pen, layout, theme);
        layout.title.draw(pen);
        self.draw_labels(pen, layout, theme);
    }

    fn draw_cells(&self, pen: &mut Pen<'_>, layout: &Layout, theme: &Theme) {
        let limit = self.limit;
        pen.rect(layout.grid, theme.diverging_color(0.0, limit).to_rgba());
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let rect = layout.cell(row, column);
                let color = theme.diverging_color(f64::from(cell.value), limit);
                pen.rect(rect, color.to_rgba());
                let label = layout
                    .cell_font
                    .and_then(|size| fitting_label(cell, size, rect.width()));
                if let Some((text, size)) = label {
                    let ((x, y), color) = (rect.center(), theme.text_on(color).to_rgba());
                    pen.write(&text, (x, y), size, color, HPos::Center);
                }
            }
        }
    }

    fn draw_labels(&self, pen: &mut Pen<'_>, layout: &Layout, theme: &Theme) {
        let color = theme.text.to_rgba();
        let size = layout.font_size;
        for &row in &layout.labelled_rows {
            let (text, x, y) = (
                self.rows[row].to_string(),
                layout.grid.left - 5.0,
                layout.cell(row, 0).center().1,
            );
            pen.write(&text, (x, y), size, color, HPos::Right);
        }
        for &column in &layout.labelled_columns {
            let (text, x) = (self.columns[column].to_string(), layout.cell(0, column).center().0);
            let y = layout.grid.bottom + size;
            pen.write(&text, (x, y), size, color, HPos::Center);
        }
        let ((x, y), size) = (layout.grid.center(), layout.axis_title_size);
        let below = layout.grid.bottom + layout.font_size * 1.8 + size * 0.8;
        pen.write(&self.x_label, (x, below), size, color, HPos::Center);
        pen.write_upwards(&self.y_label, (layout.y_title, y), size, color);
    }
}

fn draw_color_bar(pen: &mut Pen<'_>, layout: &Layout, theme: &Theme) {
    let bar = layout.color_bar;
    let limit = layout.color_scale.values.1;
    for strip in 0..STRIPS {
        let part = strip as f64 / STRIPS as f64;
        let color = theme.diverging_color((2.0 * part + 1.0 / STRIPS as f64 - 1.0) * limit, limit);
        // Each strip reaches to the end, the next one covers it: no seams between them.
        let rect = if layout.upright_bar {
            Rect {
                bottom: bar.bottom - part * bar.height(),
                ..bar
            }
        } else {
            Rect {
                left: bar.left + part * bar.width(),
                ..bar
            }
        };
        pen.rect(rect, color.to_rgba());
    }
    let (size, color) = (layout.font_size, theme.text.to_rgba());
    for (value, label) in &layout.color_ticks {
        let place = layout.color_scale.pixel(*value);
        if layout.upright_bar {
            pen.horizontal(place, bar.right, bar.right + 4.0, 1.0, theme.axis.to_rgba());
            let (x, y, align) = (bar.right + 7.0, place, HPos::Left);
            pen.write(label, (x, y), size, color, align);
        } else {
            pen.vertical(place, bar.bottom, bar.bottom + 4.0, 1.0, theme.axis.to_rgba());
            let (x, y, align) = (place, bar.bottom + 4.0 + size * 0.9, HPos::Center);
            pen.write(label, (x, y), size, color, align);
        }
    }
}

/// The label of `cell` and its font size, at most `size`: "MLP6", or "MLP" where there is no room for it.
fn fitting_label(cell: &Cell, size: f64, width: f64) -> Option<(String, f64)> {
    let labels = [Some(cell.label.clone()), cell.of.without_layer()];
    let mut sized = labels.into_iter().flatten().map(|label| {
        let room = (width - 2.0) / text::width(&label, 1.0);
        (label, size.min(room))
    });
    sized.find(|(_, size)| *size >= SMALLEST_FONT)
}
