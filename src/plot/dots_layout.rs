//! The layout of a [`DotsPlot`].

use super::axis::{Axis, Edge};
use super::scale::Scale;
use super::title::Title;
use super::{DotsPlot, DrawOptions, Rect, text};

/// Radius of a dot.
pub(super) const RADIUS: f64 = 5.0;
/// Height of a row.
const ROW: f64 = 26.0;
/// Edge on both sides.
const EDGE: f64 = 8.0;
/// Room between labels, lines and numbers.
const GAP: f64 = 12.0;
/// Widest part of the width that labels take.
const LABELS: f64 = 0.42;
/// Room above the rows, and below them for the axis.
const AROUND: (f64, f64) = (24.0, 46.0);
/// Least pixels between ticks.
const TICKS: f64 = 30.0;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    pub width: f64,
    /// Where labels begin, and where numbers end.
    pub left: f64,
    pub right: f64,
    /// Size of the type of labels and numbers.
    pub font: f64,
    /// Where the lines are.
    pub area: Rect,
    pub x: Axis,
    /// The label of each row as it is written, and the middle of its height.
    pub rows: Vec<(String, f64)>,
    row_height: f64,
}

/// Height of `plot` in CSS pixels, its title left out.
pub(super) fn suitable_height(plot: &DotsPlot) -> f64 {
    8.0 + AROUND.0 + ROW * plot.rows.len() as f64 + AROUND.1
}

impl Layout {
    pub fn new(plot: &DotsPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let title = Title::new(&plot.title, width, true, options);
        let font = options.theme.font_size * 1.05;
        let widest =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|label| text::width(label, font)).fold(0.0, f64::max);
        let labels = widest(&mut plot.rows.iter().map(|row| &row.label)).min(LABELS * width);
        let numbers = widest(&mut plot.rows.iter().map(|row| &row.number));
        let top = title.bottom() + AROUND.0;
        let left = EDGE + labels + GAP;
        let area = Rect {
            left,
            right: (width - EDGE - numbers - GAP).max(left + 1.0),
            top,
            bottom: (height - AROUND.1).max(top + 1.0),
        };
        let row_height = area.height() / plot.rows.len().max(1) as f64;
        let rows = plot.rows.iter().enumerate().map(|(index, row)| {
            let middle = area.top + (index as f64 + 0.5) * row_height;
            (text::cut(&row.label, font, labels), middle)
        });
        let range = plot.range.unwrap_or_else(|| spacious(plot));
        // Dots at the ends have room.
        let scale = Scale::linear(
            range,
            (area.left + RADIUS, (area.right - RADIUS).max(area.left + RADIUS + 1.0)),
        );
        Self {
            title,
            width,
            left: EDGE,
            right: width - EDGE,
            font,
            rows: rows.collect(),
            x: Axis {
                ticks: scale.ticks(TICKS),
                scale,
                edge: Edge::Below,
                tick: 4.0,
                font_size: options.theme.font_size * 0.9,
            },
            area,
            row_height,
        }
    }

    /// The whole of the row `index`.
    pub fn row(&self, index: usize) -> Option<Rect> {
        let (_, middle) = self.rows.get(index)?;
        Some(Rect {
            left: 0.0,
            right: self.width,
            top: middle - self.row_height / 2.0,
            bottom: middle + self.row_height / 2.0,
        })
    }
}

/// The range of all values, and a little more.
fn spacious(plot: &DotsPlot) -> (f64, f64) {
    let empty = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = plot
        .values()
        .fold(empty, |(low, high), value| (low.min(value), high.max(value)));
    if high > low {
        (low - 0.04 * (high - low), high + 0.04 * (high - low))
    } else {
        (low - 1.0, low + 1.0)
    }
}
