//! How a plot is drawn, and what is said about the thing pointed at.

use crate::plot::Theme;

/// How a plot is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawOptions {
    /// Pixels of the backend per CSS pixel: `devicePixelRatio` for a canvas whose backing store is
    /// that much larger than its CSS size.
    pub scale: f64,
    /// What font sizes are multiplied by on top of `scale`: 1, but 1.24 for plotters' SVG backend,
    /// which divides them by that.
    pub text_scale: f64,
    /// Colours and fonts.
    pub theme: Theme,
    /// Whether the histogram's legend is drawn; a page with a legend of its own leaves it out.
    pub legend: bool,
    /// Whether the title is drawn.
    pub title: bool,
    /// Where the pointer is, in CSS pixels; the bin, box or cell below it is marked.
    pub hover: Option<(f64, f64)>,
}

impl DrawOptions {
    /// For a canvas: `scale` is `devicePixelRatio`. With legend and title, nothing pointed at.
    pub fn canvas(scale: f64, theme: Theme) -> Self {
        Self {
            scale: if scale.is_finite() && scale > 0.0 { scale } else { 1.0 },
            text_scale: 1.0,
            theme,
            legend: true,
            title: true,
            hover: None,
        }
    }

    /// For plotters' SVG backend, with `scale` units to a pixel.
    pub fn svg(scale: f64, theme: Theme) -> Self {
        Self {
            text_scale: 1.24,
            ..Self::canvas(scale, theme)
        }
    }
}

/// What is to be said about the bin, box or cell that is pointed at.
#[derive(Debug, Clone, PartialEq)]
pub struct Hover {
    /// Where a tooltip belongs: the middle of the thing's upper edge, in CSS pixels.
    pub anchor: (f64, f64),
    /// What to say, a line each; the first one names the thing.
    pub lines: Vec<String>,
}
