//! Where the parts of a [`HistogramPlot`] stand, and what is below the pointer.

use super::geometry::{Rect, Scale};
use super::title::Title;
use super::{DrawOptions, HistogramPlot, Hover, text, ticks};

/// Narrower than this, the legend goes below and type gets smaller.
const NARROW: f64 = 560.0;
/// Share of the height that the boxes take, as in Plotly's marginal plots.
const BOXES_SHARE: f64 = 0.26;
/// Length of tick marks.
pub(super) const TICK: f64 = 5.0;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub(super) struct Legend {
    /// Left end and middle of its title.
    pub title_at: (f64, f64),
    /// Rectangle of each series' entry, in the order of the series.
    pub entries: Vec<Rect>,
}

/// What the pointer is on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    Bin(usize),
    Box(usize, Rect),
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

        let y_max = plot.largest_visible_count().max(1) as f64 * 1.05;
        let y_ticks = count_ticks(y_max, bottom - split);
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
        let values = plot.value_range();
        let x = Scale {
            values,
            pixels: (bars.left, bars.right),
        };
        Self {
            title,
            font_size,
            axis_title_size,
            x_ticks: ticks::ticks(values, bars.width(), if narrow { 42.0 } else { 70.0 }),
            y_ticks,
            y: Scale {
                values: (0.0, y_max),
                pixels: (bottom, bars.top),
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

    /// What is at `point`.
    pub fn target(&self, plot: &HistogramPlot, point: (f64, f64)) -> Option<Target> {
        if self.bars.contains(point) {
            let index = plot.bins?.index(self.x.value(point.0))?;
            let holds_any = plot
                .visible()
                .any(|series| series.counts.get(index).is_some_and(|&count| count > 0));
            return holds_any.then_some(Target::Bin(index));
        }
        let (index, row) = self.rows.iter().find(|(_, row)| row.contains(point))?;
        Some(Target::Box(*index, *row))
    }
}

impl HistogramPlot {
    /// What is to be said about the bin or box at (`x`, `y`) of a plot of `width` x `height`, all in CSS
    /// pixels, drawn with `options`. None where there is nothing.
    pub fn hover(&self, width: f64, height: f64, x: f64, y: f64, options: &DrawOptions) -> Option<Hover> {
        let layout = Layout::new(self, width, height, options);
        match layout.target(self, (x, y))? {
            Target::Bin(index) => self.bin_hover(&layout, index),
            Target::Box(index, row) => self.box_hover(&layout, index, row),
        }
    }

    /// Index of the series whose legend entry is at (`x`, `y`); see [`HistogramPlot::hover`].
    pub fn legend_entry(&self, width: f64, height: f64, x: f64, y: f64, options: &DrawOptions) -> Option<usize> {
        let legend = Layout::new(self, width, height, options).legend?;
        legend.entries.iter().position(|entry| entry.contains((x, y)))
    }

    fn bin_hover(&self, layout: &Layout, index: usize) -> Option<Hover> {
        let bins = self.bins?;
        let (low, high) = bins.edges(index);
        // Bins centred on multiples have edges with one more decimal.
        let halves = (bins.start / bins.size).fract().abs() > 0.25 && (bins.start / bins.size).fract().abs() < 0.75;
        let decimals = ticks::decimals(bins.size) + usize::from(halves);
        let mut lines = vec![format!(
            "{} to {}",
            text::number(low, decimals),
            text::number(high, decimals)
        )];
        let counted = self
            .visible()
            .rev()
            .filter_map(|series| Some((series, *series.counts.get(index)?)));
        lines.extend(counted.map(|(series, count)| format!("{}: {count}", series.label)));
        let largest = self.visible().filter_map(|series| series.counts.get(index)).max()?;
        let anchor = (layout.x.pixel((low + high) / 2.0), layout.y.pixel(*largest as f64));
        Some(Hover { anchor, lines })
    }

    fn box_hover(&self, layout: &Layout, index: usize, row: Rect) -> Option<Hover> {
        let series = self.series.get(index)?;
        let stats = series.stats.as_ref()?;
        let show = |value: f64| text::number(value, 4);
        let lines = vec![
            format!("{}: {} values", series.label, stats.count),
            format!("mean {}", show(stats.mean)),
            format!("median {}", show(stats.median)),
            format!("quartiles {} to {}", show(stats.q1), show(stats.q3)),
            format!(
                "whiskers {} to {}",
                show(stats.lower_whisker),
                show(stats.upper_whisker)
            ),
            format!("all {} to {}", show(stats.min), show(stats.max)),
            format!("outliers {}", stats.outliers.len()),
        ];
        Some(Hover {
            anchor: (layout.x.pixel(stats.median), row.top),
            lines,
        })
    }

    pub(super) fn visible(&self) -> impl DoubleEndedIterator<Item = &super::Series> {
        self.series.iter().filter(|series| series.visible)
    }

    fn largest_visible_count(&self) -> usize {
        self.visible()
            .flat_map(|series| &series.counts)
            .copied()
            .max()
            .unwrap_or(0)
    }

    fn entry_widths(&self, font_size: f64) -> impl Iterator<Item = f64> {
        self.series
            .iter()
            .map(move |series| SWATCH + SWATCH_GAP + text::width(&series.label, font_size) + 6.0)
    }

    /// All values with 5 % to spare on either side, hidden series included: toggling moves nothing.
    fn value_range(&self) -> (f64, f64) {
        let (low, high) = self.bins.map_or((0.0, 1.0), |bins| (bins.start, bins.end()));
        let spare = 0.05 * (high - low);
        (low - spare, high + spare)
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

/// Ticks at whole counts.
fn count_ticks(y_max: f64, pixels: f64) -> Vec<(f64, String)> {
    let all = ticks::ticks((0.0, y_max), pixels, 45.0);
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
