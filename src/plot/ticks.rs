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

/// Ticks of a logarithmic axis over `range` (both ends positive) of `pixels`: 1, 2 and 5 times powers of ten where they
/// are at least `spacing` pixels apart, else every n-th power.
pub(super) fn log_ticks(range: (f64, f64), pixels: f64, spacing: f64) -> Vec<(f64, String)> {
    let (low, high) = (range.0.log10(), range.1.log10());
    if !(low.is_finite() && high.is_finite() && high > low && pixels.is_finite()) {
        return Vec::new();
    }
    let decade = pixels / (high - low);
    let multiples: &[f64] = if decade * 0.3 >= spacing {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let every = (spacing / decade.max(1e-3)).ceil().max(1.0) as usize;
    let powers = (low.floor() as i32..=high.floor() as i32).step_by(every.min(400));
    let values = powers.flat_map(|power| multiples.iter().map(move |multiple| multiple * 10f64.powi(power)));
    values
        .filter(|value| (range.0..=range.1).contains(value) && *value >= 1.0)
        .map(|value| (value, label(value, 1.0)))
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
