//! Drawing a [`HeatmapPlot`].

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::HeatmapPlot;
use super::heatmap_layout::Layout;
use super::marks::{draw_cell, draw_picked_cell};
use super::pen::Pen;

impl HeatmapPlot {
    /// See [`super::LaidOut::draw`].
    pub(super) fn draw(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let theme = pen.theme();
        self.draw_cells(pen, layout);
        pen.frame(layout.grid, 1.0, theme.axis.to_rgba());
        if let Some((row, column)) = self.pick {
            draw_picked_cell(pen, layout.cell(row, column));
        }
        layout.color_bar.draw(pen);
        layout.title.draw(pen);
        self.draw_labels(pen, layout);
    }

    fn draw_cells(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let limit = self.limit;
        pen.rect(layout.grid, pen.theme().diverging_color(0.0, limit).to_rgba());
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                // "MLP6", or "MLP" where there is no room for it.
                let labels = [Some(cell.label.clone()), cell.id.without_layer()];
                let value = (f64::from(cell.value), limit);
                draw_cell(
                    pen,
                    layout.cell(row, column),
                    value,
                    labels.into_iter().flatten(),
                    layout.cell_font,
                );
            }
        }
    }

    fn draw_labels(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let (color, size, grid) = (pen.theme().text.to_rgba(), layout.sizes.font, layout.grid);
        for &row in &layout.labeled_rows {
            let at = (grid.left - 5.0, layout.cell(row, 0).center().1);
            pen.write(&self.rows[row].to_string(), at, size, color, HPos::Right);
        }
        for &column in &layout.labeled_columns {
            let at = (layout.cell(0, column).center().0, grid.bottom + size);
            pen.write(&self.columns[column].to_string(), at, size, color, HPos::Center);
        }
        let (x, y) = grid.center();
        layout.sizes.write_below(pen, &self.x_label, (x, grid.bottom));
        pen.write_upwards(&self.y_label, (layout.y_title, y), layout.sizes.title, color);
    }
}
