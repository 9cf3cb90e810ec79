//! Options of drawing.

use crate::plot::Theme;

/// Options of drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawOptions {
    /// Pixels of the backend per CSS pixel: `devicePixelRatio` for a canvas whose backing store is
    /// that much larger than its CSS size.
    pub scale: f64,
    /// What font sizes are multiplied by on top of `scale`: 1, but 1.24 for plotters' SVG backend,
    /// which divides them by that.
    pub text_scale: f64,
    /// Colors and fonts.
    pub theme: Theme,
    /// Whether the histogram's legend is drawn; a page with a legend of its own leaves it out.
    pub legend: bool,
    /// Whether the title is drawn.
    pub title: bool,
}

impl DrawOptions {
    /// For a canvas: `scale` is `devicePixelRatio`. With legend and title.
    pub fn canvas(scale: f64, theme: Theme) -> Self {
        Self {
            scale: if scale.is_finite() && scale > 0.0 { scale } else { 1.0 },
            text_scale: 1.0,
            theme,
            legend: true,
            title: true,
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
