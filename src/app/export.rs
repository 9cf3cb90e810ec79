//! Data for the export menu and the data tables.

use crate::export::{Field, Table, result_stem};
use crate::figure::Figure;
use crate::quantities::{counted, grouped, number};
use crate::result::ResultFile;

/// Limit of the rows of a table on the page.
pub const MAX_ROWS: usize = 200;

/// The name of an exported file for `figure`: "keyside-gpt-2-small-10.7-keys_fixed_scores" and `end`, "-bins.csv".
pub fn file_name(result: &ResultFile, figure: &Figure, end: &str) -> String {
    format!("{}-{}{end}", result_stem(result), figure.stem())
}

/// A field as text on the page: at most four decimals.
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

/// A remark if a table has more rows than are shown.
pub fn rows_note(table: &Table) -> Option<String> {
    let rows = table.rows.len();
    (rows > MAX_ROWS).then(|| {
        format!(
            "The first {MAX_ROWS} of {}. Export \u{203a} CSV has them all, with every digit.",
            counted(rows, "row", "rows")
        )
    })
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
