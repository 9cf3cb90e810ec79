//! The layout of a [`HistogramPlot`].

use super::axis::{Axis, Edge, Sizes};
use super::geometry::Rect;
use super::legend::{self, Legend};
use super::scale::{Scale, Tick};
use super::scene::NARROW;
use super::title::Title;
use super::{DrawOptions, HistogramPlot};

/// Share of the height that the boxes take, as in Plotly's marginal plots.
const BOXES_SHARE: f64 = 0.26;
/// Length of tick marks.
pub(super) const TICK: f64 = 5.0;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    pub sizes: Sizes,
    /// Where bars are drawn.
    pub bars: Rect,
    /// Where boxes are drawn.
    pub boxes: Rect,
    /// Values.
    pub x: Axis,
    /// Counts.
    pub y: Axis,
    /// Visible series with their box's row, from the bottom up.
    pub rows: Vec<(usize, Rect)>,
    pub legend: Option<Legend>,
}

impl Layout {
    pub fn new(plot: &HistogramPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let sizes = Sizes::new(&options.theme, if narrow { 0.88 } else { 1.0 });
        let title = Title::new(&plot.title, width, narrow, options);
        let top = title.bottom();
        let labels = || plot.series.iter().map(|series| series.label.as_str());
        let beside = options.legend && !narrow;
        let legend_width = legend::width(&plot.legend_title, labels(), sizes);
        let below = (options.legend && narrow).then(|| Legend::below(labels(), (width, height), sizes));
        let room_below = below.as_ref().map_or(0.0, |(_, room)| *room);
        let bottom = height - TICK - sizes.below() - room_below;
        let split = top + (bottom - top) * BOXES_SHARE;
        let axis = |scale: Scale, ticks, edge| Axis {
            scale,
            ticks,
            edge,
            tick: TICK,
            font_size: sizes.font,
        };

        let y = count_axis(plot, plot.largest_shown_count(), (bottom, split), sizes);
        let left = TICK + 4.0 + y.widest_label() + sizes.title * 2.2;
        let right = width - if beside { legend_width + 30.0 } else { 14.0 };
        let bars = Rect {
            left,
            top: split + 5.0,
            right: right.max(left + 1.0),
            bottom,
        };
        let boxes = Rect {
            top,
            bottom: split,
            ..bars
        };
        let values = Scale::linear(plot.range(), (bars.left, bars.right));
        let beside = beside.then(|| {
            let at = (bars.right + 18.0, top + 8.0);
            Legend::beside(plot.series.len(), at, legend_width, sizes)
        });
        Self {
            title,
            sizes,
            x: axis(values, values.ticks(if narrow { 42.0 } else { 70.0 }), Edge::Below),
            y,
            rows: plot.rows(boxes),
            legend: beside.or(below.map(|(legend, _)| legend)),
            bars,
            boxes,
        }
    }

    /// Where bin `index` of `plot` stands, as far as it is shown.
    pub fn bin(&self, plot: &HistogramPlot, index: usize) -> Option<Rect> {
        let bins = plot.bins.filter(|bins| index < bins.count)?;
        let (low, high) = bins.edges(index);
        let band = Rect {
            left: self.x.scale.pixel(low),
            right: self.x.scale.pixel(high),
            ..self.bars
        };
        let part = band.between(self.bars.left, self.bars.right)?;
        // Not a sliver that rounding leaves of the next one.
        (part.width() > 0.01 * band.width()).then_some(part)
    }

    /// The axis of counts where the largest one shown is `largest`, and how much longer bars are on it than on [`Layout::y`].
    pub fn with_largest(&self, plot: &HistogramPlot, largest: usize) -> (Axis, f64) {
        let y = count_axis(plot, largest, (self.bars.bottom, self.boxes.bottom), self.sizes);
        let length = |scale: &Scale| scale.pixels.0 - scale.pixel(1.0);
        (y.clone(), length(&y.scale) / length(&self.y.scale))
    }

    /// Bars and boxes together.
    pub fn both(&self) -> Rect {
        Rect {
            top: self.boxes.top,
            ..self.bars
        }
    }
}

impl HistogramPlot {
    /// Index of the series whose legend entry is at (`x`, `y`) of a plot of `width` x `height`, all in CSS pixels,
    /// drawn with `options`.
    pub fn legend_entry(&self, width: f64, height: f64, x: f64, y: f64, options: &DrawOptions) -> Option<usize> {
        let legend = Layout::new(self, width, height, options).legend?;
        legend.entries.iter().position(|entry| entry.contains((x, y)))
    }

    fn rows(&self, area: Rect) -> Vec<(usize, Rect)> {
        let shown: Vec<usize> = (0..self.series.len())
            .filter(|&index| self.series[index].visible)
            .collect();
        let height = area.height() / shown.len().max(1) as f64;
        let row = |place: usize| Rect {
            bottom: area.bottom - place as f64 * height,
            top: area.bottom - (place + 1) as f64 * height,
            ..area
        };
        shown
            .iter()
            .enumerate()
            .map(|(place, &index)| (index, row(place)))
            .collect()
    }
}

/// The axis of counts up to `largest`, which begins at the first of `pixels` and ends a little before the second.
fn count_axis(plot: &HistogramPlot, largest: usize, pixels: (f64, f64), sizes: Sizes) -> Axis {
    let counts = Scale {
        values: count_range(largest, plot.log_counts),
        pixels,
        log: plot.log_counts,
    };
    let mut axis = Axis {
        scale: counts,
        ticks: count_ticks(&counts),
        edge: Edge::Left,
        tick: TICK,
        font_size: sizes.font,
    };
    axis.scale.pixels.1 = pixels.1 + 5.0;
    axis
}

/// Counts at both ends of their axis. A logarithmic one begins at a half: a bar of 1 can be seen.
fn count_range(largest: usize, log: bool) -> (f64, f64) {
    let largest = largest.max(1) as f64;
    if log {
        (0.5, largest * 1.3)
    } else {
        (0.0, largest * 1.05)
    }
}

/// Ticks at whole counts.
fn count_ticks(counts: &Scale) -> Vec<Tick> {
    if counts.log {
        return counts.ticks(26.0);
    }
    let all = counts.ticks(45.0).into_iter();
    all.filter(|(value, _)| value.fract().abs() < 1e-9).collect()
}
