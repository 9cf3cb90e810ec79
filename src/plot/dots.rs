//! A dot plot with one value per row: the dot, a band with the distribution of many others, and the value as text.

/// Rows of one value each, on one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct DotsPlot {
    /// Title.
    pub title: String,
    /// Title of the axis.
    pub x_label: String,
    /// The rows from top to bottom.
    pub rows: Vec<DotsRow>,
    /// A value that all are held against, and what is written above it.
    pub reference: (f64, String),
    /// The range of the scale; None where the values say.
    pub range: Option<(f64, f64)>,
}

/// One row of a [`DotsPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct DotsRow {
    /// What it is called.
    pub label: String,
    /// The number of its color among those of series.
    pub color: usize,
    /// Where the dot is.
    pub value: f64,
    /// The number at the end.
    pub number: String,
    /// How far the values go that the dot is the mean of; None for one value.
    pub spread: Option<(f64, f64)>,
    /// The band of others: its range, and their mean.
    pub band: Option<DotsBand>,
    /// What is to be said about it, a line each.
    pub lines: Vec<String>,
}

/// The band of a [`DotsRow`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DotsBand {
    /// The smallest and the largest value.
    pub range: (f64, f64),
    /// The mean of the values.
    pub mean: f64,
}

impl DotsPlot {
    /// All values that must have room on the scale.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let of_row = |row: &DotsRow| {
            let spread = row.spread.map_or([row.value; 2], |(low, high)| [low, high]);
            let band = row.band.map_or([row.value; 2], |band| [band.range.0, band.range.1]);
            [row.value].into_iter().chain(spread).chain(band)
        };
        self.rows.iter().flat_map(of_row).chain([self.reference.0])
    }
}
