//! Histogram bins shared by several series, following the conventions of Plotly.js.

/// Fraction of a bin by which a value may lie below an edge and still count as being on it.
///
/// 0.7 as an f32 is 0.69999999; without this tolerance it would fall into the bin before its own.
const EDGE_TOLERANCE: f64 = 1e-5;

/// Minimum bin width, relative to the largest value: below it, edges cannot be distinguished in floating point.
const MIN_SHARE: f64 = 1e-9;

/// Bin width relative to the value, if all values are equal and large.
const SHARE_OF_ALIKE: f64 = 1e-3;

/// Equal bins `[start + i size, start + (i + 1) size)`, `i < count`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    /// Lower edge of the first bin.
    pub start: f64,
    /// Width of a bin: 1, 2 or 5 times a power of ten.
    pub size: f64,
    /// Number of bins.
    pub count: usize,
}

impl Bins {
    /// Bins over the joint range of `series` for about `max_bins` bins: the size is the smallest nice one of at least
    /// range / `max_bins`, edges are multiples of it, so there may be one or two more. Values that are not finite are
    /// left out. None when no value remains.
    ///
    /// Plotly centres bins on the multiples instead of starting them there when the data pile up at multiples (more
    /// than 30 % within 1 % of an edge, or the smallest or largest value is, and fewer than 10 % near a middle):
    /// `autoShiftNumericBins` in plotly.js. So do we: this is why the bars of probabilities, many of which are all but
    /// 0 or 1, stand centered on 0, 0.01, ..., 1.
    pub fn of<'a>(series: impl IntoIterator<Item = &'a [f32]>, max_bins: usize) -> Option<Self> {
        let finite = series.into_iter().flatten().filter(|value| value.is_finite());
        let values: Vec<f64> = finite.map(|&value| f64::from(value)).collect();
        let min = values.iter().copied().reduce(f64::min)?;
        let max = values.iter().copied().reduce(f64::max)?;
        // All values are equal: one bin around them, of width 1, or wider for large values.
        let count = max_bins.max(1) as f64;
        let least = min.abs().max(max.abs()) * MIN_SHARE;
        let range = if max > min {
            max - min
        } else {
            count * f64::max(1.0, max.abs() * SHARE_OF_ALIKE)
        };
        let size = nice_size((range / count).max(least));
        let mut start = (min / size + EDGE_TOLERANCE).floor() * size;
        if values_pile_up_at_edges(&values, size, min, max) {
            start += if start + size / 2.0 < min {
                size / 2.0
            } else {
                -size / 2.0
            };
        }
        let last = ((max - start) / size + EDGE_TOLERANCE).floor();
        Some(Self {
            start,
            size,
            count: (last as usize).saturating_add(1),
        })
    }

    /// Lower and upper edge of bin `index`.
    pub fn edges(&self, index: usize) -> (f64, f64) {
        let edge = |index: usize| self.start + self.size * index as f64;
        (edge(index), edge(index + 1))
    }

    /// Upper edge of the last bin.
    pub fn end(&self) -> f64 {
        self.start + self.size * self.count as f64
    }

    /// The bin that holds `value`, if one does.
    pub fn index(&self, value: f64) -> Option<usize> {
        let index = ((value - self.start) / self.size + EDGE_TOLERANCE).floor();
        (index >= 0.0 && index < self.count as f64).then_some(index as usize)
    }

    /// Number of `values` in each bin, `[count]`. Values outside all bins are not counted.
    pub fn counts(&self, values: &[f32]) -> Vec<usize> {
        let mut counts = vec![0; self.count];
        for index in values.iter().filter_map(|&value| self.index(f64::from(value))) {
            counts[index] += 1;
        }
        counts
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `size` (which must be positive).
pub(crate) fn nice_size(size: f64) -> f64 {
    let power = 10f64.powf(size.log10().floor());
    // Rounding of range / bins may miss a nice number: 0.01 must stay 0.01.
    let fits = |multiple: &f64| size <= multiple * power * (1.0 + 1e-6);
    let multiple = [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0);
    multiple * power
}

fn values_pile_up_at_edges(values: &[f64], size: f64, min: f64, max: f64) -> bool {
    // Within 1 % of a multiple of `size`.
    let near_edge = |value: f64| (value / size - (value / size).round()).abs() <= 0.01;
    let at_edges = values.iter().filter(|&&value| near_edge(value)).count();
    let at_middles = values.iter().filter(|&&value| near_edge(value + size / 2.0)).count();
    let count = values.len() as f64;
    (at_middles as f64) < 0.1 * count && (at_edges as f64 > 0.3 * count || near_edge(min) || near_edge(max))
}
