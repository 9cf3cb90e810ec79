//! The view of a plot: what a reader can change about it, as plain data that a link can hold.

use std::collections::BTreeSet;

use super::labels::series_starts_visible;
use crate::names::{HeatmapId, SeriesId, SplitBy};

/// The order of a histogram's series: boxes from the bottom up, legend entries from the top down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesOrder {
    /// By ascending mean, as in the notebook.
    #[default]
    Mean,
    /// By ascending median.
    Median,
    /// By label, A first.
    Label,
}

impl SeriesOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Median, Self::Label];

    /// Its name in links.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Label => "label",
        }
    }
}

/// How a histogram is shown; the default is as in the notebook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramView {
    /// Series whose visibility is not what it is at first.
    pub toggled: BTreeSet<SeriesId>,
    /// Most bins; None for the notebook's 120 (scores) and 100 (probabilities).
    pub max_bins: Option<usize>,
    /// Whether the axis of counts is logarithmic.
    pub log_counts: bool,
    /// Range of values that is shown; None for all.
    pub zoom: Option<(f64, f64)>,
    /// Order of the series.
    pub order: SeriesOrder,
    /// What the prompts are split by in the table beside it; None where they are not.
    pub split: Option<SplitBy>,
}

impl HistogramView {
    /// Shows `series` if it is hidden, hides it if it is shown.
    pub fn toggle(&mut self, series: &SeriesId) {
        if !self.toggled.remove(series) {
            self.toggled.insert(series.clone());
        }
    }

    /// Shows `series` alone of `all`; all as at first when that is so already.
    pub fn isolate<'a>(&mut self, series: &SeriesId, all: impl IntoIterator<Item = &'a SeriesId>) {
        let away = |other: &&SeriesId| series_starts_visible(other) != (*other == series);
        let alone: BTreeSet<SeriesId> = all.into_iter().filter(away).cloned().collect();
        self.toggled = if self.toggled == alone { BTreeSet::new() } else { alone };
    }

    /// Whether `series` is shown.
    pub fn shows(&self, series: &SeriesId) -> bool {
        series_starts_visible(series) != self.toggled.contains(series)
    }
}

/// Rows and columns of a heatmap that are shown, by index in the result's heatmap, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRange {
    /// First and last row.
    pub rows: (usize, usize),
    /// First and last column.
    pub columns: (usize, usize),
}

/// How the heatmap is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeatmapView {
    /// Which one, as in [`crate::result::ResultFile::heatmap`].
    pub name: HeatmapId,
    /// Whether the column b_O is left out, as in the notebook.
    pub as_in_notebook: bool,
    /// The part that is shown; None for all.
    pub zoom: Option<CellRange>,
    /// The cell that is picked (row, column): its prompts' values stay on the page.
    pub pick: Option<(usize, usize)>,
}

impl Default for HeatmapView {
    fn default() -> Self {
        Self {
            name: HeatmapId::KEY,
            as_in_notebook: false,
            zoom: None,
            pick: None,
        }
    }
}
