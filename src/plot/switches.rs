//! The legend of a plot with a fixed layout: shows and hides series in place.

use super::Rect;

/// What showing and hiding series changes in a plot that was laid out with all of them. Lengths are CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Switches {
    /// What stands above the legend.
    pub title: String,
    /// The series in the order of the legend.
    pub series: Vec<Switch>,
    /// The axes of counts that there are, by the largest count that is shown, and how much longer bars are on each than as they are
    /// drawn.
    pub axes: Vec<(usize, f64)>,
    /// The lower end of all bars.
    pub bottom: f64,
    /// Where boxes are drawn, one row for each series that is shown, the first one lowest.
    pub rows: Rect,
}

/// A series of [`Switches`].
#[derive(Debug, Clone, PartialEq)]
pub struct Switch {
    /// Legend entry.
    pub label: String,
    /// What it is, in words. May be empty.
    pub note: String,
    /// Number of its color; see [`crate::plot::Theme::series_color`].
    pub color: usize,
    /// Its largest count in a bin that is shown.
    pub largest: usize,
}
