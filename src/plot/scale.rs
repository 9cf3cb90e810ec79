//! A scale: a map from values to pixels and back, and the positions of ticks.

use crate::quantities::multiple;
use crate::result::nice_size;

/// A map from values to pixels: linear, or linear in the logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Values at both ends; both positive when the scale is logarithmic.
    pub values: (f64, f64),
    /// Pixels at both ends.
    pub pixels: (f64, f64),
    /// Whether equal ratios are equally long.
    pub log: bool,
}

/// A value and how it is written.
pub type Tick = (f64, String);

impl Scale {
    /// A scale on which equal differences are equally long.
    pub fn linear(values: (f64, f64), pixels: (f64, f64)) -> Self {
        Self {
            values,
            pixels,
            log: false,
        }
    }

    fn position(&self, value: f64) -> f64 {
        if self.log { value.ln() } else { value }
    }

    /// Where `value` is.
    pub fn pixel(&self, value: f64) -> f64 {
        let (low, high) = (self.position(self.values.0), self.position(self.values.1));
        let part = (self.position(value) - low) / (high - low);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    /// What value is at `pixel`.
    pub fn value(&self, pixel: f64) -> f64 {
        let (low, high) = (self.position(self.values.0), self.position(self.values.1));
        let part = (pixel - self.pixels.0) / (self.pixels.1 - self.pixels.0);
        let position = low + part * (high - low);
        if self.log { position.exp() } else { position }
    }

    /// Ticks that are at least `spacing` pixels apart: at multiples of a nice step; of a logarithmic scale at 1, 2 and 5 times
    /// powers of ten, else at every n-th power. Labels have no trailing zeros, as in Plotly.
    pub fn ticks(&self, spacing: f64) -> Vec<Tick> {
        let length = (self.pixels.1 - self.pixels.0).abs();
        if self.log {
            log_ticks(self.values, length, spacing)
        } else {
            ticks(self.values, length, spacing)
        }
    }
}

fn ticks((low, high): (f64, f64), pixels: f64, spacing: f64) -> Vec<Tick> {
    let most = (pixels / spacing).max(1.0);
    if high <= low || !pixels.is_finite() {
        return Vec::new();
    }
    let step = nice_size((high - low) / most);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).max(-1.0) as i64 + 1;
    let largest = low.abs().max(high.abs());
    (0..count)
        .map(|index| (first + index as f64) * step)
        .map(|value| (value, label(value, step, largest)))
        .collect()
}

/// Over `range`, both of whose ends are positive.
fn log_ticks(range: (f64, f64), pixels: f64, spacing: f64) -> Vec<Tick> {
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
        .map(|value| (value, label(value, 1.0, range.1)))
        .collect()
}

/// A multiple of `step` without trailing zeros.
pub(super) fn label(value: f64, step: f64, largest: f64) -> String {
    let text = multiple(value, step, largest);
    let (digits, power) = match text.find('e') {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    format!("{digits}{power}")
}
