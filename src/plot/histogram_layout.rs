//! Where the parts of a [`HistogramPlot`] stand.

use super::geometry::{Rect, Scale};
use super::scene::NARROW;
use super::title::Title;
use super::{DrawOptions, HistogramPlot, text, ticks};

/// Share of the height that the boxes take, as in Plotly's marginal plots.
const BOXES_SHARE: f64 = 0.26;
/// Length of tick marks.
pub(super) const TICK: f64 = 5.0;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    pub font_size: f64,
    pub axis_title_size: f64,
    /// Where bars are drawn.
    pub bars: Rect,
    /// Where boxes are drawn.
    pub boxes: Rect,
    /// Values to x; y is counts.
    pub x: Scale,
    /// Counts to y.
    pub y: Scale,
    pub x_ticks: Vec<(f64, String)>,
    pub y_ticks: Vec<(f64, String)>,
    /// Visible series with their box's row, from the bottom up.
    pub rows: Vec<(usize, Rect)>,
    pub legend: Option<Legend>,
}

/// The legend's positions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Legend {
    /// Left end and middle of its title.
    pub title_at: (f64, f64),
    /// Rectangle of each series' entry, in the order of the series.
    pub entries: Vec<Rect>,
}

/// Swatch, gap and space after an entry of the legend.
pub(super) const SWATCH: f64 = 12.0;
const SWATCH_GAP: f64 = 8.0;
const LEGEND_ROW: f64 = 19.0;

impl Layout {
    pub fn new(plot: &HistogramPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let smaller = if narrow { 0.88 } else { 1.0 };
        let theme = &options.theme;
        let (font_size, axis_title_size) = (theme.font_size * smaller, theme.axis_title_size * smaller);
        let title = Title::new(&plot.title, width, narrow, options);
        let top = title.bottom();
        let legend_width = plot
            .entry_widths(font_size)
            .fold(text::width(&plot.legend_title, axis_title_size), f64::max);
        let beside = options.legend && !narrow;
        let rows_below = if options.legend && narrow {
            flow(plot, font_size, width - 16.0)
        } else {
            Vec::new()
        };
        let below = rows_below
            .iter()
            .map(|row| row.1 + 1)
            .max()
            .map_or(0.0, |rows| 22.0 + rows as f64 * LEGEND_ROW);
        let bottom = height - TICK - font_size * 1.8 - axis_title_size * 1.8 - below;
        let split = top + (bottom - top) * BOXES_SHARE;

        let counts = count_range(plot);
        let y_ticks = count_ticks(counts, bottom - split, plot.log_counts);
        let labels = y_ticks
            .iter()
            .map(|(_, label)| text::width(label, font_size))
            .fold(0.0, f64::max);
        let left = TICK + 4.0 + labels + axis_title_size * 2.2;
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
        let values = plot.range();
        let x = Scale::linear(values, (bars.left, bars.right));
        Self {
            title,
            font_size,
            axis_title_size,
            x_ticks: ticks::ticks(values, bars.width(), if narrow { 42.0 } else { 70.0 }),
            y_ticks,
            y: Scale {
                values: counts,
                pixels: (bottom, bars.top),
                log: plot.log_counts,
            },
            rows: plot.rows(boxes),
            legend: options.legend.then(|| {
                if beside {
                    legend_beside(plot, bars.right + 18.0, top + 8.0, legend_width)
                } else {
                    legend_below(&rows_below, height - below)
                }
            }),
            x,
            bars,
            boxes,
        }
    }

    /// Where bin `index` of `plot` stands, as far as it is shown.
    pub fn bin(&self, plot: &HistogramPlot, index: usize) -> Option<Rect> {
        let bins = plot.bins.filter(|bins| index < bins.count)?;
        let (low, high) = bins.edges(index);
        let band = Rect {
            left: self.x.pixel(low),
            right: self.x.pixel(high),
            ..self.bars
        };
        let part = band.between(self.bars.left, self.bars.right)?;
        // Not a sliver that rounding leaves of the next one.
        (part.width() > 0.01 * band.width()).then_some(part)
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

    fn entry_widths(&self, font_size: f64) -> impl Iterator<Item = f64> {
        self.series
            .iter()
            .map(move |series| SWATCH + SWATCH_GAP + text::width(&series.label, font_size) + 6.0)
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

/// Counts at both ends of their axis. A logarithmic one begins at a half: a bar of 1 can be seen.
fn count_range(plot: &HistogramPlot) -> (f64, f64) {
    let largest = plot.largest_shown_count().max(1) as f64;
    if plot.log_counts {
        (0.5, largest * 1.3)
    } else {
        (0.0, largest * 1.05)
    }
}

/// Ticks at whole counts.
fn count_ticks(range: (f64, f64), pixels: f64, log: bool) -> Vec<(f64, String)> {
    if log {
        return ticks::log_ticks(range, pixels, 26.0);
    }
    let all = ticks::ticks(range, pixels, 45.0);
    all.into_iter()
        .filter(|(value, _)| value.fract().abs() < 1e-9)
        .collect()
}

fn legend_beside(plot: &HistogramPlot, left: f64, top: f64, width: f64) -> Legend {
    let entry = |index: usize| {
        let top = top + 12.0 + index as f64 * LEGEND_ROW;
        Rect {
            left,
            top,
            right: left + width,
            bottom: top + LEGEND_ROW,
        }
    };
    Legend {
        title_at: (left, top),
        entries: (0..plot.series.len()).map(entry).collect(),
    }
}

/// Left end, row and width of each entry when they flow into lines of `width`.
fn flow(plot: &HistogramPlot, font_size: f64, width: f64) -> Vec<(f64, usize, f64)> {
    let (mut x, mut row) = (0.0, 0);
    let mut places = Vec::new();
    for entry in plot.entry_widths(font_size) {
        if x > 0.0 && x + entry > width {
            (x, row) = (0.0, row + 1);
        }
        places.push((x, row, entry));
        x += entry + 6.0;
    }
    places
}

fn legend_below(places: &[(f64, usize, f64)], top: f64) -> Legend {
    let entry = |&(x, row, width): &(f64, usize, f64)| {
        let (left, top) = (8.0 + x, top + 18.0 + row as f64 * LEGEND_ROW);
        Rect {
            left,
            top,
            right: left + width,
            bottom: top + LEGEND_ROW,
        }
    };
    Legend {
        title_at: (8.0, top + 8.0),
        entries: places.iter().map(entry).collect(),
    }
}
