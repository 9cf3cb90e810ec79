//! Box-plot statistics, following the conventions of Plotly.js.

use super::spread::standard_deviation;

/// Mean of `values`, summed in f64; None when there are none.
pub fn mean(values: &[f32]) -> Option<f64> {
    let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
    (!values.is_empty()).then(|| sum / values.len() as f64)
}

/// The value below which a share `p` of `values` lies, by the convention of [`BoxStats::of`]; None without finite
/// values.
///
/// ```
/// use keyside::result::percentile;
///
/// let values: Vec<f32> = (0..100).map(|value| value as f32).collect();
/// assert_eq!(percentile(&values, 0.05), Some(4.5));
/// ```
pub fn percentile(values: &[f32], p: f64) -> Option<f64> {
    let finite = values.iter().filter(|value| value.is_finite());
    let mut sorted: Vec<f64> = finite.map(|&value| f64::from(value)).collect();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| quantile(&sorted, p))
}

/// The five numbers of a box, its notch and its outliers.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxStats {
    /// Number of values.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation (divisor `count - 1`); None of one value.
    pub standard_deviation: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// First quartile, by Plotly's method "linear": see [`BoxStats::of`].
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Third quartile.
    pub q3: f64,
    /// Smallest value that is at least `q1 - 1.5 (q3 - q1)`, but at most `q1`.
    pub lower_whisker: f64,
    /// Largest value that is at most `q3 + 1.5 (q3 - q1)`, but at least `q3`.
    pub upper_whisker: f64,
    /// Half the height of the notch, `1.57 (q3 - q1) / sqrt(count)`: McGill, Tukey and Larsen 1978.
    pub notch: f64,
    /// Values beyond the whiskers, ascending.
    pub outliers: Vec<f64>,
}

impl BoxStats {
    /// Statistics of `values` (in any order); None when there are none.
    ///
    /// Quartiles are Plotly's `quartilemethod="linear"`, its default: the sorted values at index
    /// `n p - 0.5`, interpolated linearly and held within the data (R's type 5).
    /// Values that are not finite are left out.
    pub fn of(values: &[f32]) -> Option<Self> {
        let finite: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let mean = mean(&finite)?;
        let mut sorted: Vec<f64> = finite.into_iter().map(f64::from).collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (q1, median, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.5), quantile(&sorted, 0.75));
        let reach = 1.5 * (q3 - q1);
        let lower = sorted.iter().copied().find(|&value| value >= q1 - reach);
        let upper = sorted.iter().copied().rfind(|&value| value <= q3 + reach);
        let lower_whisker = lower.unwrap_or(q1).min(q1);
        let upper_whisker = upper.unwrap_or(q3).max(q3);
        let outlying = |value: &f64| *value < lower_whisker || *value > upper_whisker;
        Some(Self {
            count: sorted.len(),
            mean,
            standard_deviation: (sorted.len() >= 2).then(|| standard_deviation(&sorted)),
            min,
            max,
            q1,
            median,
            q3,
            lower_whisker,
            upper_whisker,
            notch: 1.57 * (q3 - q1) / (sorted.len() as f64).sqrt(),
            outliers: sorted.iter().copied().filter(outlying).collect(),
        })
    }
}

/// Value at index `n p - 0.5` of `sorted`, which must not be empty.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let index = (sorted.len() as f64 * p - 0.5).clamp(0.0, last as f64);
    let below = index.floor() as usize;
    let part = index - index.floor();
    sorted[below] + part * (sorted[(below + 1).min(last)] - sorted[below])
}
