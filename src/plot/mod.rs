//! Plots on any `plotters` backend: canvas on screen, SVG for export and tests.
//!
//! The layout of a plot is a pure function of its size and content, in CSS pixels, and is shared by drawing and
//! pointing: see [`Scene`]. A drawing is a list of strokes ([`Stroke`]). Drawing multiplies by the device's pixel
//! ratio, so that a canvas is crisp on every screen.

mod axis;
mod color_bar;
mod dots;
mod dots_draw;
mod dots_layout;
mod geometry;
mod heatmap;
mod heatmap_cells;
mod heatmap_draw;
mod heatmap_layout;
mod heatmap_point;
mod histogram;
mod histogram_draw;
mod histogram_layout;
mod histogram_point;
mod labels;
mod legend;
mod marks;
mod matrix;
mod matrix_cells;
mod matrix_draw;
mod matrix_layout;
mod options;
mod palette;
mod patterns;
mod pen;
mod pointing;
mod scale;
mod scatter;
mod scatter_draw;
mod scene;
mod sheet;
mod strip;
mod strokes;
mod svg;
mod switches;
mod text;
mod theme;
mod title;
mod tokens;
mod tokens_draw;
mod tokens_layout;
mod view;

pub use axis::{Axis, Edge, Sizes};
pub use color_bar::{ColorBar, Colors};
pub use dots::{DotsBand, DotsPlot, DotsRow};
pub use geometry::Rect;
pub use heatmap::HeatmapPlot;
pub use heatmap_cells::Cell;
pub use histogram::{HistogramPlot, MAX_BINS, Series};
pub use labels::{series_note, series_starts_visible};
pub use legend::{Entry, Legend, width as legend_width};
pub use marks::{
    SMALLEST_FONT, TokenMark, dot_rect, draw_arc, draw_bars, draw_box, draw_cell, draw_dot, draw_marker,
    draw_picked_cell, draw_picked_dot, draw_token, draw_tops,
};
pub use matrix::MatrixPlot;
pub use matrix_cells::{CellSource, MatrixCell, MatrixCells};
pub use options::DrawOptions;
pub use palette::{COLORS, OF_NO_VECTOR};
pub use patterns::{PatternsPlot, SmallPattern};
pub use pen::{Pen, StrokeGroup};
pub use pointing::{Hover, Pin, Step, Target};
pub use scale::{Scale, Tick};
pub use scatter::{ScatterMark, ScatterPlot};
pub use scene::{Drawable, DynEq, LaidOut, NARROW, Plot, PlotWithLayout, SVG_SIZE, Scene, Zoom};
pub use sheet::{SHEET_UNITS, STEPS, Sheet, SheetTarget, ThemedStroke};
pub use strip::StripPlot;
pub use strokes::{PixelPoint, Stroke, Text, draw_strokes};
pub use svg::plot_svg;
pub use switches::{Switch, Switches};
pub use text::{visible, width as text_width};
pub use theme::{Theme, contrast, mix};
pub use title::Title;
pub use tokens::{TokenChip, TokensPlot};
pub use view::{CellRange, HeatmapView, HistogramView, SeriesOrder};
