//! The bars of a histogram.

use plotters::style::{Color, RGBAColor};

use crate::plot::Rect;
use crate::plot::pen::Pen;
use crate::plot::scale::Scale;
use crate::result::Bins;

/// Bars wider than this have light edges, full ones at twice the width.
const EDGES_FROM: f64 = 3.0;

/// Draws a bar for each of `counts`, one of each bin, that is not 0, as far as it lies within `area`.
pub fn draw_bars(
    pen: &mut Pen<'_>,
    area: Rect,
    (x, y): (&Scale, &Scale),
    color: RGBAColor,
    bins: &Bins,
    counts: &[usize],
) {
    let (background, width) = (pen.theme().background, x.pixel(bins.size) - x.pixel(0.0));
    for (index, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (low, high) = bins.edges(index);
        let whole = Rect {
            left: x.pixel(low),
            top: y.pixel(count as f64),
            right: x.pixel(high),
            bottom: area.bottom,
        };
        let Some(bar) = whole.between(area.left, area.right) else {
            continue;
        };
        pen.rect(bar, color);
        // Light edges tell neighbours apart; on bars of a few pixels they would wash out the colour.
        if width > EDGES_FROM {
            let edge = background.mix(0.6 * ((width - EDGES_FROM) / EDGES_FROM).min(1.0));
            pen.vertical(bar.left, bar.top, bar.bottom, 1.0, edge);
            pen.vertical(bar.right, bar.top, bar.bottom, 1.0, edge);
        }
    }
}
