//! A cell of a heatmap.

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use crate::plot::Rect;
use crate::plot::pen::Pen;
use crate::plot::text;

/// Smallest type that can be read; cells that don't have room for it have no label.
pub const SMALLEST_FONT: f64 = 7.0;

/// Draws a cell in the color of `value` on the scale from `-limit` to `limit`, with the first of `labels` that has room in type of
/// at most `font_size`.
pub fn draw_cell(
    pen: &mut Pen<'_>,
    cell: Rect,
    (value, limit): (f64, f64),
    labels: impl Iterator<Item = String>,
    font_size: Option<f64>,
) {
    let theme = pen.theme();
    let color = theme.diverging_color(value, limit);
    pen.rect(cell, color.to_rgba());
    if let Some((label, size)) = font_size.and_then(|size| fitting(labels, size, cell.width())) {
        pen.write(
            &label,
            cell.center(),
            size,
            theme.text_on(color).to_rgba(),
            HPos::Center,
        );
    }
}

/// Frames the cell that is picked.
pub fn draw_picked_cell(pen: &mut Pen<'_>, cell: Rect) {
    let theme = pen.theme();
    pen.frame(cell, 5.0, theme.background.to_rgba());
    pen.frame(cell, 2.5, theme.highlight.to_rgba());
}

/// The first label that fits into `width`, and its font size, at most `size`.
fn fitting(labels: impl Iterator<Item = String>, size: f64, width: f64) -> Option<(String, f64)> {
    let mut sized = labels.map(|label| {
        let room = (width - 2.0) / text::width(&label, 1.0);
        (label, size.min(room))
    });
    sized.find(|(_, size)| *size >= SMALLEST_FONT)
}
