//! The bars of a histogram, and the line along their tops.

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
        // Light edges tell neighbors apart; on bars of a few pixels they would wash out the color.
        if width > EDGES_FROM {
            let edge = background.mix(0.6 * ((width - EDGES_FROM) / EDGES_FROM).min(1.0));
            pen.vertical(bar.left, bar.top, bar.bottom, 1.0, edge);
            pen.vertical(bar.right, bar.top, bar.bottom, 1.0, edge);
        }
    }
}

/// Width of the line along the tops of bars.
const LINE: f64 = 1.25;

/// Draws a line along the tops of the bars that [`draw_bars`] draws: where bars of several series overlap, it says whose is how high.
pub fn draw_tops(
    pen: &mut Pen<'_>,
    area: Rect,
    (x, y): (&Scale, &Scale),
    color: RGBAColor,
    bins: &Bins,
    counts: &[usize],
) {
    let place = |x: f64| x.clamp(area.left, area.right);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for index in 0..=counts.len() {
        let (low, high) = bins.edges(index);
        let (left, right) = (place(x.pixel(low)), place(x.pixel(high)));
        match counts.get(index).filter(|count| **count > 0 && right > left) {
            Some(&count) => {
                let top = y.pixel(count as f64);
                if line.is_empty() {
                    line.push((left, area.bottom));
                }
                line.extend([(left, top), (right, top)]);
            }
            // The line ends where a bin is empty, and begins again behind it.
            None => {
                if let Some((x, _)) = line.last().copied() {
                    line.push((x, area.bottom));
                    pen.path(&line, LINE, color);
                    line.clear();
                }
            }
        }
    }
}
