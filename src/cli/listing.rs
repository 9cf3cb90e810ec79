//! Lists in the terminal.

use std::fmt::Write as _;

/// Number of lines of a table in the terminal.
pub(super) const LINES: usize = 12;

/// Indices of `values`, the largest first; on ties the first.
pub(super) fn largest(values: &[f32]) -> impl Iterator<Item = usize> {
    sorted(values, |value| value)
}

/// The same by absolute value.
pub(super) fn largest_sizes(values: &[f32]) -> impl Iterator<Item = usize> {
    sorted(values, f32::abs)
}

fn sorted(values: &[f32], by: fn(f32) -> f32) -> impl Iterator<Item = usize> {
    let mut indices: Vec<usize> = (0..values.len()).collect();
    indices.sort_by(|left, right| by(values[*right]).total_cmp(&by(values[*left])));
    indices.into_iter()
}

/// Appends a line to `text`.
pub(super) fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{line}");
}
