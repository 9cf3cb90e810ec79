//! Box plots: quartiles, notch, whiskers, outliers.

use plotters::style::{Color, RGBAColor};

use crate::plot::Rect;
use crate::plot::pen::Pen;
use crate::plot::scale::Scale;
use crate::result::BoxStats;

/// Half a box's height as part of its row.
const BOX_SHARE: f64 = 0.26;

/// Draws the box of `stats` in `row`, as far as it lies within the shown range.
pub fn draw_box(pen: &mut Pen<'_>, scale: &Scale, color: RGBAColor, stats: &BoxStats, row: Rect) {
    let (_, y) = row.center();
    let half = (row.height() * BOX_SHARE).min(12.0);
    let stroke = (half / 3.0).clamp(1.0, 2.0);
    let x = |value: f64| scale.pixel(value);
    let shown = |x: f64| x >= row.left && x <= row.right;
    for (whisker, quartile) in [(stats.lower_whisker, stats.q1), (stats.upper_whisker, stats.q3)] {
        let line = Rect {
            left: x(whisker).min(x(quartile)),
            right: x(whisker).max(x(quartile)),
            ..row
        };
        if let Some(line) = line.between(row.left, row.right) {
            pen.horizontal(y, line.left, line.right, stroke, color);
        }
        if shown(x(whisker)) {
            pen.vertical(x(whisker), y - half / 2.0, y + half / 2.0, stroke, color);
        }
    }
    draw_body(pen, scale, color, stats, row, half, stroke);
    let radius = (half * 0.45).clamp(1.5, 3.0);
    let outliers = stats.outliers.iter().map(|&value| x(value)).filter(|&x| shown(x));
    outliers.for_each(|x| pen.dot((x, y), radius, color));
}

/// The box itself with its notch.
fn draw_body(pen: &mut Pen<'_>, scale: &Scale, color: RGBAColor, stats: &BoxStats, row: Rect, half: f64, stroke: f64) {
    let (_, y) = row.center();
    let x = |value: f64| scale.pixel(value);
    let waist = half / 2.0;
    // With few values the notch is longer than the box; Plotly then folds it back, we end it with the box.
    let (notch_low, notch_high) = (
        (stats.median - stats.notch).max(stats.q1),
        (stats.median + stats.notch).min(stats.q3),
    );
    // Where the upper edge turns: x, and half the height there. The lower edge mirrors it.
    let turns = [
        (x(stats.q1), half),
        (x(notch_low), half),
        (x(stats.median), waist),
        (x(notch_high), half),
        (x(stats.q3), half),
    ];
    let upper = clip(&turns, row.left, row.right);
    let corners: Vec<(f64, f64)> = upper
        .iter()
        .map(|(x, half)| (*x, y - half))
        .chain(upper.iter().rev().map(|(x, half)| (*x, y + half)))
        .collect();
    if upper.len() < 2 {
        return;
    }
    pen.polygon(&corners, color.mix(0.5));
    if upper == turns {
        pen.outline(&corners, stroke, color);
    } else {
        // Where the box is cut off, it has no edge.
        let (above, below) = corners.split_at(upper.len());
        pen.path(above, stroke, color);
        pen.path(below, stroke, color);
        for quartile in [stats.q1, stats.q3] {
            if x(quartile) >= row.left && x(quartile) <= row.right {
                pen.vertical(x(quartile), y - half, y + half, stroke, color);
            }
        }
    }
    if x(stats.median) >= row.left && x(stats.median) <= row.right {
        pen.vertical(x(stats.median), y - waist, y + waist, stroke, color);
    }
}

/// The part between two x of a line through `points`, whose x never go back. Empty when nothing is left.
fn clip(points: &[(f64, f64)], left: f64, right: f64) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x1 < left || x0 > right {
            continue;
        }
        let at = |x: f64| {
            if x1 > x0 {
                y0 + (y1 - y0) * (x - x0) / (x1 - x0)
            } else {
                y0
            }
        };
        let from = if x0 < left { (left, at(left)) } else { (x0, y0) };
        let to = if x1 > right { (right, at(right)) } else { (x1, y1) };
        if kept.is_empty() {
            kept.push(from);
        }
        kept.push(to);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn a_line_is_cut_at_both_ends() {
        let line = [(0.0, 4.0), (2.0, 4.0), (3.0, 2.0), (4.0, 4.0), (8.0, 4.0)];
        assert_eq!(clip(&line, -1.0, 9.0), line);
        assert_eq!(clip(&line, 2.5, 3.0), [(2.5, 3.0), (3.0, 2.0), (3.0, 2.0)]);
        assert_eq!(clip(&line, 5.0, 6.0), [(5.0, 4.0), (6.0, 4.0)]);
        assert!(clip(&line, 9.0, 10.0).is_empty() && clip(&line, -2.0, -1.0).is_empty());
    }
}
