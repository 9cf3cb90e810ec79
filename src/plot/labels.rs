//! Descriptions and default visibility of series, from the table in `names`.

use crate::names::SeriesId;

/// Whether `series` is shown before its legend entry is clicked.
pub fn series_starts_visible(series: &SeriesId) -> bool {
    series.starts_visible()
}

/// One line on what the vector behind `series` is; empty where that is not known.
pub fn series_note(series: &SeriesId) -> &'static str {
    series.note()
}
