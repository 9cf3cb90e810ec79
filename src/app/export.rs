//! What the export menu and the data tables offer, without pixels.

use super::view::View;
use super::words::{counted, grouped, number};
use crate::export::{Field, Figure, Table, result_stem};
use crate::names::FigurePlace;
use crate::result::ResultFile;

/// Most rows of a table that are put on the page.
pub const MOST_ROWS: usize = 200;

/// The figure at `place` as `view` shows it.
pub fn figure_at(place: FigurePlace, view: &View) -> Figure {
    match place {
        FigurePlace::Histogram(name) => Figure::Histogram(name, view.histogram(name), view.prompt),
        FigurePlace::Heatmap => Figure::Heatmap(view.heatmap.clone(), view.prompt),
    }
}

/// The tables of the figure at `place` that can be saved as CSV: name in [`crate::export::tables`], and what it is called.
/// `per_prompt` is whether the result has the heatmap's cells prompt by prompt.
pub const fn csv_tables(place: FigurePlace, per_prompt: bool) -> &'static [(&'static str, &'static str)] {
    match place {
        FigurePlace::Histogram(_) => &[
            ("values", "Values per prompt"),
            ("bins", "Bins"),
            ("statistics", "Statistics"),
            ("outliers", "Outliers"),
        ],
        FigurePlace::Heatmap if per_prompt => &[
            ("cells", "Cells"),
            ("components", "Components"),
            ("prompts", "Components per prompt"),
        ],
        FigurePlace::Heatmap => &[("cells", "Cells"), ("components", "Components")],
    }
}

/// The name of a file with something of `figure`: "keyside-gpt-2-small-10.7-keys_fixed_scores" and `end`, "-bins.csv".
pub fn file_name(result: &ResultFile, figure: &Figure, end: &str) -> String {
    format!("{}-{}{end}", result_stem(result), figure.stem())
}

/// What a field looks like on the page: at most four decimals.
pub fn shown(field: &Field) -> String {
    let value = match field {
        Field::Single(value) => f64::from(*value),
        Field::Double(value) => *value,
        Field::Count(count) => return grouped(*count),
        Field::Empty | Field::Text(_) => return field.exact(),
    };
    let exact = field.exact();
    if exact.len() <= 7 {
        return exact.replace('-', "\u{2212}");
    }
    if value.abs() >= 5e-4 && value.abs() < 1e9 {
        return number(value, 4);
    }
    format!("{value:.2e}").replace('-', "\u{2212}")
}

/// What there is to say where a table has more rows than are shown.
pub fn rows_note(table: &Table) -> Option<String> {
    let rows = table.rows.len();
    (rows > MOST_ROWS).then(|| {
        format!(
            "The first {MOST_ROWS} of {}. Export \u{203a} CSV has them all, with every digit.",
            counted(rows, "row", "rows")
        )
    })
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
