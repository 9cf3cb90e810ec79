//! Correlation of two series over prompts.

use super::spread::{Interval, mean};

/// Minimum number of pairs for an interval, as for a [`super::Comparison`].
const MIN_PAIRS: usize = 6;

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Pearson's correlation of two series of the same prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Number of pairs, at least 3.
    pub n: usize,
    /// `cov(x, y) / sqrt(var(x) var(y))`, from -1 to 1.
    pub r: f64,
    /// 95 % interval by Fisher's transformation (1921): `tanh(atanh(r) +- 1.96 / sqrt(n - 3))`. It holds for values that are about
    /// normal. None for fewer than 6 pairs.
    pub interval: Option<Interval>,
}

impl Correlation {
    /// From pairs of finite values. None for fewer than 3, and where one of the series is constant.
    ///
    /// ```
    /// use keyside::result::Correlation;
    ///
    /// let found = Correlation::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 3.0)]);
    /// assert!(found.is_some_and(|found| (found.r - 0.5).abs() < 1e-12));
    /// ```
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let n = pairs.len();
        if n < 3 {
            return None;
        }
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let (x, y) = (mean(&xs), mean(&ys));
        let (mut both, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
        for pair in pairs {
            let (dx, dy) = (pair.0 - x, pair.1 - y);
            both += dx * dy;
            of_x += dx * dx;
            of_y += dy * dy;
        }
        let r = both / (of_x.sqrt() * of_y.sqrt());
        // Constant values give 0 / 0.
        if !r.is_finite() {
            return None;
        }
        let r = r.clamp(-1.0, 1.0);
        let reach = tanh(Z / (n.max(MIN_PAIRS) as f64 - 3.0).sqrt());
        // tanh(atanh(r) + z) = (r + tanh z) / (1 + r tanh z).
        let interval = Interval {
            low: (r - reach) / (1.0 - r * reach),
            high: (r + reach) / (1.0 + r * reach),
        };
        Some(Self {
            n,
            r,
            interval: (n >= MIN_PAIRS).then_some(interval),
        })
    }

    /// The interval if it does not contain 0, so that the sign of the correlation is known.
    pub fn sure(&self) -> Option<Interval> {
        self.interval
            .filter(|interval| interval.low > 0.0 || interval.high < 0.0)
    }
}

/// The hyperbolic tangent of `x`, |x| <= 1.2, by Lambert's continued fraction. It uses the four basic operations only,
/// so that the result is the same natively and in a browser.
fn tanh(x: f64) -> f64 {
    let odd = (0..12).rev().map(|index| f64::from(2 * index + 1));
    let below = odd.reduce(|below, odd| odd + x * x / below);
    x / below.unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    /// Pseudo-random pairs in which the second value depends on the first one by `share`.
    fn pairs(n: u32, share: f64) -> Vec<(f64, f64)> {
        let number = |i: u32| f64::from(i * 7919 % 1009) / 1009.0 - 0.5;
        let pair = |i: u32| {
            let x = number(i);
            (x, share * x + (1.0 - share) * number(i * 31 + 17))
        };
        (0..n).map(pair).collect()
    }

    #[test]
    fn the_fraction_is_the_hyperbolic_tangent() {
        for x in [0.0, 0.01, 0.3, 0.8, 1.2] {
            close(tanh(x), f64::tanh(x), 1e-15);
        }
    }

    #[test]
    fn it_is_pearsons() {
        // Anscombe's first quartet (1973): 0.81642.
        let xs = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let ys = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let pairs: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
        let found = Correlation::of(&pairs).expect("a value");
        close(found.r, 0.816_420_5, 1e-6);
        // R's cor.test: 0.4243912 to 0.9506933.
        let interval = found.interval.expect("eleven pairs");
        close(interval.low, 0.424_391_2, 1e-6);
        close(interval.high, 0.950_693_3, 1e-6);
        assert_eq!(found.sure(), Some(interval));
        let negated: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (*x, -y)).collect();
        let negated = Correlation::of(&negated).expect("a value");
        close(negated.r, -found.r, 1e-12);
        assert!(negated.sure().is_some_and(|interval| interval.high < 0.0));
    }

    #[test]
    fn what_is_not_sure_is_not_said() {
        let apart = Correlation::of(&pairs(400, 0.0)).expect("a value");
        assert!(apart.r.abs() < 0.15 && apart.sure().is_none(), "{apart:?}");
        assert!(Correlation::of(&pairs(400, 0.5)).is_some_and(|found| found.sure().is_some()));
        let few = Correlation::of(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.5)]).expect("a value");
        assert_eq!((few.n, few.interval, few.sure()), (3, None, None));
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        assert_eq!(Correlation::of(&[]), None);
        assert_eq!(Correlation::of(&[(1.0, 2.0), (2.0, 1.0)]), None);
        assert_eq!(Correlation::of(&[(1.0, 2.0), (1.0, 1.0), (1.0, 3.0)]), None);
        assert_eq!(Correlation::of(&[(1.0, 2.0), (f64::NAN, 1.0), (1.5, 3.0)]), None);
        let same = Correlation::of(&pairs(50, 1.0)).expect("a value");
        close(same.r, 1.0, 1e-12);
        assert!(
            same.interval
                .is_some_and(|interval| interval.low > 0.99 && interval.high <= 1.0)
        );
    }
}
