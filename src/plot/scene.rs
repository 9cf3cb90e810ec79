//! A plot of either kind, laid out: what a pointer or the keyboard meets on it.
//!
//! A scene is made once for a plot, a size and a theme. Asking what is at a point only reads it.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;

use super::strokes::{Stroke, draw_strokes};
use super::{CellRange, DrawOptions, HeatmapPlot, HistogramPlot, Rect, StripPlot};
use super::{heatmap_layout, histogram_layout, strip};
use crate::error::Result;
use crate::names::SeriesId;

/// A part of a plot that can be pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A bin of a histogram.
    Bin(usize),
    /// The box of a series, by its number in [`HistogramPlot::series`].
    Box(usize),
    /// The cell in a row and a column of [`HeatmapPlot::cells`].
    Cell(usize, usize),
    /// The dot of a prompt, by its number in [`StripPlot::values`].
    Dot(usize),
}

/// What an arrow key, Home or End asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// One up.
    Up,
    /// One down.
    Down,
    /// The first.
    First,
    /// The last.
    Last,
}

/// What is to be said about a part of a plot, and where it stands. Places are in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Hover {
    /// The part.
    pub target: Target,
    /// Where a tooltip belongs: the middle of the thing's upper edge.
    pub anchor: (f64, f64),
    /// What to mark: the bin's band, the box's row, the cell.
    pub mark: Rect,
    /// How far a crosshair reaches.
    pub area: Rect,
    /// What to say, a line each; the first one names the thing.
    pub lines: Vec<String>,
}

/// The part of a plot that is shown; None for all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Zoom {
    /// A range of values.
    Values(Option<(f64, f64)>),
    /// Rows and columns, by index in the result's heatmap.
    Cells(Option<CellRange>),
}

/// A plot of either kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// Histograms with boxes.
    Histogram(HistogramPlot),
    /// Contributions of components.
    Heatmap(HeatmapPlot),
    /// A cell's values, prompt by prompt.
    Strip(StripPlot),
}

impl Plot {
    /// Height in CSS pixels that suits `width`.
    pub fn height(&self, width: f64) -> f64 {
        match self {
            Self::Histogram(_) if width < 560.0 => 360.0,
            Self::Histogram(_) => (width * 0.48).clamp(380.0, 440.0).round(),
            Self::Heatmap(plot) => plot.height(width),
            Self::Strip(_) => strip::HEIGHT,
        }
    }

    /// The plot over the whole of an area of `size` (width and height in device pixels), the background first.
    pub fn strokes(&self, size: (u32, u32), options: &DrawOptions) -> Vec<Stroke> {
        match self {
            Self::Histogram(plot) => plot.strokes(size, options),
            Self::Heatmap(plot) => plot.strokes(size, options),
            Self::Strip(plot) => plot.strokes(size, options),
        }
    }

    /// Draws the plot over the whole of `area`, which is in device pixels.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the backend fails.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, options: &DrawOptions) -> Result<()> {
        draw_strokes(&self.strokes(area.dim_in_pixel(), options), area)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Layout {
    Histogram(histogram_layout::Layout),
    Heatmap(heatmap_layout::Layout),
    Strip(strip::Layout),
}

/// A plot and where its parts stand; see the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    plot: Plot,
    layout: Layout,
}

impl Scene {
    /// Lays out `plot` on `width` x `height` CSS pixels, as it is drawn with `options`.
    pub fn new(plot: Plot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let layout = match &plot {
            Plot::Histogram(plot) => Layout::Histogram(histogram_layout::Layout::new(plot, width, height, options)),
            Plot::Heatmap(plot) => Layout::Heatmap(heatmap_layout::Layout::new(plot, width, height, options)),
            Plot::Strip(plot) => Layout::Strip(strip::Layout::new(plot, width, height, options)),
        };
        Self { plot, layout }
    }

    /// The plot.
    pub fn plot(&self) -> &Plot {
        &self.plot
    }

    /// The part at `point`.
    pub fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => plot.target_at(layout, point),
            (Plot::Heatmap(plot), Layout::Heatmap(layout)) => plot.target_at(layout, point),
            (Plot::Strip(plot), Layout::Strip(layout)) => plot.target_at(layout, point),
            _ => None,
        }
    }

    /// What is to be said about `target`. None when the plot has no such thing.
    pub fn hover(&self, target: Target) -> Option<Hover> {
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => plot.hover(layout, target),
            (Plot::Heatmap(plot), Layout::Heatmap(layout)) => plot.hover(layout, target),
            (Plot::Strip(plot), Layout::Strip(layout)) => plot.hover(layout, target),
            _ => None,
        }
    }

    /// The label of the series at `point`: the bar or box that is there.
    pub fn series_at(&self, point: (f64, f64)) -> Option<&SeriesId> {
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => plot.series_at(layout, point),
            _ => None,
        }
    }

    /// The label of the series whose box `target` is.
    pub fn series_of(&self, target: Target) -> Option<&SeriesId> {
        match &self.plot {
            Plot::Histogram(plot) => plot.series_of(target),
            _ => None,
        }
    }

    /// Where a key leads from `from`; from nowhere, to the first part or the last.
    pub fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        // What no longer exists is nowhere.
        let from = from.filter(|target| self.hover(*target).is_some());
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => plot.step(layout, from, step),
            (Plot::Heatmap(plot), Layout::Heatmap(_)) => plot.step(from, step),
            (Plot::Strip(plot), Layout::Strip(_)) => plot.step(from, step),
            _ => None,
        }
    }

    /// What a drag from one point to another selects: the area, and what would be shown.
    pub fn select(&self, from: (f64, f64), to: (f64, f64)) -> Option<(Rect, Zoom)> {
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => {
                let (rect, values) = plot.select(layout, from.0, to.0)?;
                Some((rect, Zoom::Values(plot.within(values))))
            }
            (Plot::Heatmap(plot), Layout::Heatmap(layout)) => {
                let (rect, range) = plot.select(layout, from, to)?;
                Some((rect, Zoom::Cells(range)))
            }
            _ => None,
        }
    }

    /// What is shown after zooming around `target` (or the middle), to `factor` times the length: 0.5 is closer.
    pub fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<Zoom> {
        match &self.plot {
            Plot::Histogram(plot) => Some(Zoom::Values(plot.zoomed(target, factor))),
            Plot::Heatmap(plot) => Some(Zoom::Cells(plot.zoomed(target, factor))),
            Plot::Strip(_) => None,
        }
    }

    /// What lights up `series` when it is drawn over the plot's own strokes: a veil over everything, and that
    /// series again. `size` as for [`Plot::strokes`]. None when the plot does not show the series.
    pub fn highlight(&self, size: (u32, u32), options: &DrawOptions, series: &SeriesId) -> Option<Vec<Stroke>> {
        match (&self.plot, &self.layout) {
            (Plot::Histogram(plot), Layout::Histogram(layout)) => plot.highlight(size, layout, options, series),
            _ => None,
        }
    }
}
