//! Histograms and heatmaps on any `plotters` backend: canvas on screen, SVG for export and tests.
//!
//! A plot's layout is a pure function of its size and content, in CSS pixels; drawing and pointing
//! share it. Drawing multiplies by the device's pixel ratio, so that a canvas is crisp everywhere.

mod geometry;
mod heatmap;
mod heatmap_layout;
mod histogram;
mod histogram_draw;
mod histogram_layout;
mod labels;
mod options;
mod pen;
mod svg;
mod text;
mod theme;
mod ticks;
mod title;
mod view;

pub use heatmap::{Cell, HeatmapPlot};
pub use histogram::{HistogramPlot, Series};
pub use labels::{TRUE_EMBEDDING, series_note, series_starts_visible};
pub use options::{DrawOptions, Hover};
pub use svg::{SVG_SIZE, heatmap_svg, histogram_svg, svg_files};
pub use theme::{SERIES_COLORS, Theme};
pub use view::{CellRange, HeatmapView, HistogramView, SeriesOrder};

pub use crate::result::HistogramName;
