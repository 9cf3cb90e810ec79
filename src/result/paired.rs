//! Differences of two series over prompts, for tables: cheap enough to compute for all pairs of series.

use super::spread::{Interval, mean, standard_deviation};

/// Minimum number of pairs for an interval, as for a [`super::Comparison`].
const MIN_PAIRS: usize = 6;

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The differences of two series of the same prompts, first minus second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// Number of pairs, at least 2.
    pub n: usize,
    /// Mean of the differences, in the unit of the values.
    pub mean: f64,
    /// Sample standard deviation of the differences (divisor `n - 1`), in the unit of the values.
    pub standard_deviation: f64,
    /// 95 % interval of the mean, `mean +- t sd / sqrt(n)`, `t` being the 97.5 % quantile of Student's distribution with `n - 1` degrees
    /// of freedom; None for fewer than 6 pairs. Of many prompts it is the bootstrap interval of a [`super::Comparison`] but for chance.
    pub interval: Option<Interval>,
    /// In how many pairs the first is larger.
    pub larger: usize,
    /// In how many pairs the second is larger.
    pub smaller: usize,
}

impl PairedDifference {
    /// Of `a[i] - b[i]`. None for unequal lengths, fewer than 2 pairs, and where a value is not finite.
    ///
    /// ```
    /// use keyside::result::PairedDifference;
    ///
    /// let found = PairedDifference::of(&[2.0, 3.0, 7.0], &[1.0, 1.0, 4.0]);
    /// let effect_size = found.and_then(|found| found.effect_size());
    /// assert_eq!(effect_size, Some(2.0));
    /// ```
    pub fn of(a: &[f32], b: &[f32]) -> Option<Self> {
        let finite = a.iter().chain(b).all(|value| value.is_finite());
        if a.len() != b.len() || a.len() < 2 || !finite {
            return None;
        }
        let pairs = a.iter().zip(b);
        let differences: Vec<f64> = pairs.map(|(&a, &b)| f64::from(a) - f64::from(b)).collect();
        let (n, mean) = (differences.len(), mean(&differences));
        let standard_deviation = standard_deviation(&differences);
        let reach = student(n - 1) * standard_deviation / (n as f64).sqrt();
        let interval = Interval {
            low: mean - reach,
            high: mean + reach,
        };
        Some(Self {
            n,
            mean,
            standard_deviation,
            interval: (n >= MIN_PAIRS).then_some(interval),
            larger: differences.iter().filter(|difference| **difference > 0.0).count(),
            smaller: differences.iter().filter(|difference| **difference < 0.0).count(),
        })
    }

    /// The mean of the differences in units of their standard deviation (Cohen's d of paired values, `d_z`); None where all are the same.
    pub fn effect_size(&self) -> Option<f64> {
        (self.standard_deviation > 0.0).then(|| self.mean / self.standard_deviation)
    }
}

/// 97.5 % quantile of Student's distribution with `freedom` degrees of freedom, by the expansion in 1 / `freedom` around the normal one
/// (Abramowitz and Stegun 26.7.5): within 0.003 from 5 on.
fn student(freedom: usize) -> f64 {
    let (f, z2) = (freedom as f64, Z * Z);
    let first = (z2 + 1.0) / 4.0;
    let second = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let third = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    Z * (1.0 + (first + (second + third / f) / f) / f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Comparison;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        for (freedom, expected) in [(5, 2.5706), (9, 2.2622), (29, 2.0452), (1199, 1.9620)] {
            close(student(freedom), expected, 0.003);
        }
    }

    #[test]
    fn differences_are_of_pairs() {
        let (a, b) = ([3.0, 5.0, 2.0, 8.0, 6.0, 7.0], [2.0, 3.0, 3.0, 5.0, 6.0, 4.0]);
        let found = PairedDifference::of(&a, &b).expect("a value");
        // Of 1, 2, -1, 3, 0, 3: sum of squares 24, mean 8 / 6.
        let deviation = ((24.0 - 64.0 / 6.0) / 5.0f64).sqrt();
        close(found.mean, 8.0 / 6.0, 1e-12);
        close(found.standard_deviation, deviation, 1e-12);
        close(found.effect_size().expect("a value"), 8.0 / 6.0 / deviation, 1e-12);
        assert_eq!((found.n, found.larger, found.smaller), (6, 4, 1));
        let interval = found.interval.expect("six pairs");
        let reach = 2.5706 * deviation / 6f64.sqrt();
        close(interval.high - found.mean, reach, 0.003);
        close(found.mean - interval.low, reach, 0.003);
    }

    #[test]
    fn the_interval_is_that_of_the_bootstrap_for_many_prompts() {
        let values = |shift: u32| (0..400u32).map(move |i| (i * 37 % 101 * (shift + i % 3)) as f32);
        let (a, b): (Vec<f32>, Vec<f32>) = (values(3).collect(), values(2).collect());
        let found = PairedDifference::of(&a, &b).expect("a value");
        let bootstrap = Comparison::of_pairs(&a, &b).expect("a value").interval;
        let interval = found.interval.expect("400 pairs");
        let width = interval.high - interval.low;
        close(bootstrap.low, interval.low, 0.05 * width);
        close(bootstrap.high, interval.high, 0.05 * width);
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        assert_eq!(PairedDifference::of(&[1.0], &[0.0]), None);
        assert_eq!(PairedDifference::of(&[1.0, 2.0], &[0.0]), None);
        assert_eq!(PairedDifference::of(&[1.0, f32::NAN], &[0.0, 0.0]), None);
        let same = PairedDifference::of(&[1.0; 5], &[0.5; 5]).expect("a value");
        assert_eq!((same.effect_size(), same.interval), (None, None));
        assert_eq!((same.mean, same.standard_deviation), (0.5, 0.0));
    }
}
