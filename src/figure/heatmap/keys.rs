//! The address keys of the heatmap's view.

use crate::error::Result;
use crate::figure::keys::{MAX_HEAD, MAX_LABEL, MAX_LAYER, Query, line, pair, switch, text, wrong};
use crate::names::FigureName;
use crate::plot::{CellRange, HeatmapView};

/// The key of the heatmap's name.
const NAME: &str = FigureName::HEATMAP.as_str();

/// Whether `key` belongs to the heatmap.
pub(super) fn is_key(key: &str) -> bool {
    [NAME, "notebook", "cells", "cell"].contains(&key)
}

/// Sets `key` to `value` in the view.
pub(super) fn take(heatmap: &mut HeatmapView, key: &str, value: &str) -> Result<()> {
    match key {
        NAME => heatmap.name = line(key, value, MAX_LABEL)?.into(),
        "notebook" => heatmap.as_in_notebook = switch(key, value)?,
        "cells" => {
            heatmap.zoom = Some(cells(value).ok_or_else(|| wrong(key, value, "rows and columns, as in 0-3,2-12"))?)
        }
        _ => heatmap.pick = Some(cell(value).ok_or_else(|| wrong(key, value, "a row and a column, as in 9,12"))?),
    }
    Ok(())
}

fn cell(value: &str) -> Option<(usize, usize)> {
    pair(value, ',', MAX_HEAD).filter(|(row, _)| *row <= MAX_LAYER)
}

fn cells(value: &str) -> Option<CellRange> {
    let (rows, columns) = value.split_once(',')?;
    let range = CellRange {
        rows: pair(rows, '-', MAX_LAYER)?,
        columns: pair(columns, '-', MAX_HEAD)?,
    };
    is_range(&range).then_some(range)
}

fn is_range(range: &CellRange) -> bool {
    let CellRange { rows, columns } = range;
    rows.0 <= rows.1 && rows.1 <= MAX_LAYER && columns.0 <= columns.1 && columns.1 <= MAX_HEAD
}

/// Appends the keys whose values are not the default.
pub(super) fn write(heatmap: &HeatmapView, query: &mut Query) {
    let name = Some(&heatmap.name).filter(|name| **name != HeatmapView::default().name);
    query.given(NAME, text(name));
    query.given("notebook", heatmap.as_in_notebook.then(|| "1".to_owned()));
    let cells = |CellRange { rows, columns }| format!("{}-{},{}-{}", rows.0, rows.1, columns.0, columns.1);
    query.given("cells", heatmap.zoom.map(cells));
    query.given("cell", heatmap.pick.map(|(row, column)| format!("{row},{column}")));
}

/// Removes values that [`take`] would reject.
pub(super) fn clean(heatmap: &mut HeatmapView) {
    if line(NAME, &heatmap.name.to_string(), MAX_LABEL).is_err() {
        *heatmap = HeatmapView::default();
    }
    heatmap.zoom = heatmap.zoom.filter(is_range);
    heatmap.pick = heatmap
        .pick
        .filter(|(row, column)| *row <= MAX_LAYER && *column <= MAX_HEAD);
}
