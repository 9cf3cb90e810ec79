//! Where ticks stand and how they are labelled.

use super::text;
use crate::result::nice_size;

/// Ticks at multiples of a nice step within `range`, at least `spacing` pixels apart on `pixels`.
///
/// Returns value and label each. Labels have no trailing zeros, as in Plotly.
pub(super) fn ticks(range: (f64, f64), pixels: f64, spacing: f64) -> Vec<(f64, String)> {
    let (low, high) = range;
    let most = (pixels / spacing).max(1.0);
    if high <= low || !pixels.is_finite() {
        return Vec::new();
    }
    let step = nice_size((high - low) / most);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).max(-1.0) as i64 + 1;
    (0..count)
        .map(|index| (first + index as f64) * step)
        .map(|value| (value, label(value, step)))
        .collect()
}

/// Decimals that tell multiples of `step` apart.
pub(super) fn decimals(step: f64) -> usize {
    (-(step * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 12.0) as usize
}

fn label(value: f64, step: f64) -> String {
    let digits = text::number(value, decimals(step));
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        digits
    }
}
