//! The dot of one prompt.

use plotters::style::{Color, RGBColor};

use crate::plot::Rect;
use crate::plot::pen::Pen;

/// Draws a dot of `radius`.
pub fn draw_dot(pen: &mut Pen<'_>, at: (f64, f64), radius: f64, color: RGBColor) {
    pen.dot(at, radius, color.mix(0.75));
}

/// Draws the dot that is picked: with a ring, over the others.
pub fn draw_picked_dot(pen: &mut Pen<'_>, at: (f64, f64), radius: f64, color: RGBColor) {
    let theme = pen.theme();
    pen.dot(at, radius + 4.0, theme.highlight.to_rgba());
    pen.dot(at, radius + 2.0, theme.background.to_rgba());
    pen.dot(at, radius, color.to_rgba());
}

/// What is marked of a dot that is pointed at.
pub fn dot_rect((x, y): (f64, f64), radius: f64) -> Rect {
    let reach = radius + 2.0;
    Rect {
        left: x - reach,
        top: y - reach,
        right: x + reach,
        bottom: y + reach,
    }
}
