//! What a pointer or the keyboard asks of a plot, and the answer.

use super::Rect;

/// A part of a plot that can be pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A bin of a histogram.
    Bin(usize),
    /// The box of a series, by its number in [`super::HistogramPlot::series`].
    Box(usize),
    /// The cell in a row and a column of [`super::HeatmapPlot::cells`].
    Cell(usize, usize),
    /// The dot of a prompt, by its number in [`super::StripPlot::values`]; the mark of a prompt, by [`super::ScatterMark::prompt`]; of a row, by its number
    /// in [`super::DotsPlot::rows`].
    Dot(usize),
    /// A token of a sentence, by its position.
    Token(usize),
    /// One of several patterns, by its number in [`super::PatternsPlot::patterns`].
    Pattern(usize),
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
    /// How far a crosshair reaches; empty for none.
    pub area: Rect,
    /// What to say, a line each; the first one names the thing.
    pub lines: Vec<String>,
}
