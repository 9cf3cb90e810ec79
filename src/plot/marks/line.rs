//! A line that marks one value.

use plotters::style::{Color, RGBColor};

use crate::plot::Rect;
use crate::plot::pen::Pen;

/// Draws a line from top to bottom of `area` at `x`, where that is within it. Its light edge is seen on bars of its own color,
/// too.
pub fn draw_marker(pen: &mut Pen<'_>, area: Rect, x: f64, color: RGBColor) {
    if x < area.left || x > area.right {
        return;
    }
    let background = pen.theme().background;
    pen.vertical(x, area.top, area.bottom, 4.0, background.mix(0.75));
    pen.vertical(x, area.top, area.bottom, 2.0, color.to_rgba());
}
