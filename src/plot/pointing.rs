//! Pointer and keyboard targets of plots.

use super::Rect;
use super::text::visible;
use crate::names::SeriesId;

/// Most characters of a note that are said.
const LONGEST_NOTE: usize = 220;

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

/// A part that a reader keeps: found again where the plot has other bins, another order or shows another part of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Pin {
    /// The bin that holds a value.
    Bin(f64),
    /// The box of a series.
    Box(SeriesId),
    /// Any other part, with its first line: where another part has its place, it is gone.
    Part(Target, String),
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
    /// What a tooltip stands beside: a bin up to its largest count, a box with its whiskers, a cell.
    pub about: Rect,
    /// What to mark: the bin's band, the box's row, the cell.
    pub mark: Rect,
    /// How far a crosshair reaches; empty for none.
    pub area: Rect,
    /// What to say, a line each; the first one names the thing.
    pub lines: Vec<String>,
    /// What is to be read with it: the text of a prompt. May be empty.
    pub note: String,
    /// The number of the color of the series that each line is about; fewer than lines where the rest is of none.
    pub swatches: Vec<Option<usize>>,
}

impl Hover {
    /// About `mark`, with a crosshair over `area`; no line is of a series.
    pub(super) fn new(target: Target, mark: Rect, area: Rect, lines: Vec<String>) -> Self {
        Self {
            target,
            about: mark,
            mark,
            area,
            lines: lines.iter().map(|line| visible(line)).collect(),
            note: String::new(),
            swatches: Vec::new(),
        }
    }

    /// All that is said: the lines, and the note, cut where it is long.
    pub fn texts(&self) -> Vec<String> {
        let mut note: String = visible(&self.note).chars().take(LONGEST_NOTE).collect();
        if note.chars().count() < self.note.chars().count() {
            note.push('\u{2026}');
        }
        let note = Some(note).filter(|note| !note.is_empty());
        self.lines.iter().cloned().chain(note).collect()
    }

    /// The middle of the upper edge of what it is about.
    pub fn anchor(&self) -> (f64, f64) {
        (self.about.center().0, self.about.top)
    }
}
