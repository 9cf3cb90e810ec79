//! Paired comparison of two series: the evidence behind the page's conclusions.

use super::ResultFile;
use super::spread::{Bootstrap, Groups, Interval, groups_of, mean};
use crate::names::{HistogramId, SeriesId};

/// Minimum number of pairs. Of five pairs, all differ in the same direction by chance in 3 % of cases, so that the
/// interval of the mean does not contain 0; of six, in 1.6 %.
const MIN_PAIRS: usize = 6;

/// Draws all resamples of a bootstrap in one step.
const ALL_AT_ONCE: usize = usize::MAX;

/// A paired comparison of two sets of numbers, or of one with 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Number of pairs.
    pub n: usize,
    /// Mean of the differences, first minus second, in the unit of the values.
    pub mean: f64,
    /// 95 % interval of that mean: see [`bootstrap_mean`](super::bootstrap_mean).
    pub interval: Interval,
    /// In how many pairs the first is larger.
    pub wins: usize,
    /// In how many pairs the second is larger.
    pub losses: usize,
    /// Two groups that the differences fall into: their mean is then like neither.
    pub groups: Option<Groups>,
}

impl Comparison {
    /// Compares `a` and `b` pair by pair, such as two scores of the same prompts: the mean of `a[i] - b[i]` and its
    /// bootstrap interval.
    ///
    /// Paired, because prompts differ far more from each other than two scores of one prompt do.
    ///
    /// None for unequal lengths, for fewer than 6 pairs, and where a value is not finite.
    pub fn of_pairs(a: &[f32], b: &[f32]) -> Option<Self> {
        let mut comparing = ComparisonJob::of_pairs(a, b)?;
        comparing.step(ALL_AT_ONCE);
        comparing.found()
    }

    /// The reverse comparison: second minus first.
    #[must_use]
    pub fn reversed(self) -> Self {
        let Interval { low, high } = self.interval;
        Self {
            mean: -self.mean,
            interval: Interval { low: -high, high: -low },
            wins: self.losses,
            losses: self.wins,
            groups: self.groups.map(Groups::negated),
            ..self
        }
    }

    /// Whether the first set is larger: the whole interval of the mean difference lies above 0.
    pub fn beats(&self) -> bool {
        self.interval.low > 0.0
    }

    /// Whether the second set is larger.
    pub fn is_beaten(&self) -> bool {
        self.interval.high < 0.0
    }
}

/// A [`Comparison`] whose interval is computed step by step.
#[derive(Debug, Clone)]
pub struct ComparisonJob {
    n: usize,
    mean: f64,
    wins: usize,
    losses: usize,
    groups: Option<Groups>,
    bootstrap: Bootstrap,
}

impl ComparisonJob {
    /// Starts the comparison of `a` and `b`; None as for [`Comparison::of_pairs`].
    pub fn of_pairs(a: &[f32], b: &[f32]) -> Option<Self> {
        if a.len() != b.len() || a.len() < MIN_PAIRS {
            return None;
        }
        let difference = |(&a, &b): (&f32, &f32)| f64::from(a) - f64::from(b);
        let differences: Vec<f64> = a.iter().zip(b).map(difference).collect();
        Some(Self {
            n: differences.len(),
            mean: mean(&differences),
            wins: differences.iter().filter(|difference| **difference > 0.0).count(),
            losses: differences.iter().filter(|difference| **difference < 0.0).count(),
            groups: groups_of(differences.clone()),
            bootstrap: Bootstrap::of(differences)?,
        })
    }

    /// Draws up to `resamples` more of the 2,000 resamples. Returns whether all are drawn.
    pub fn step(&mut self, resamples: usize) -> bool {
        self.bootstrap.step(resamples)
    }

    /// Number of pairs, to which the cost of a resample is proportional.
    pub fn pairs(&self) -> usize {
        self.n
    }

    /// The comparison; None before all resamples are drawn.
    pub fn found(self) -> Option<Comparison> {
        Some(Comparison {
            n: self.n,
            mean: self.mean,
            wins: self.wins,
            losses: self.losses,
            groups: self.groups,
            interval: self.bootstrap.interval()?,
        })
    }
}

/// Two series of a histogram to compare, or one series and 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The histogram.
    pub histogram: HistogramId,
    /// The first series.
    pub first: SeriesId,
    /// The second series; None for 0: the interval is then that of the first one's mean.
    pub second: Option<SeriesId>,
}

impl Pair {
    /// The comparison of the two in `result`; None as for [`Pair::begin`].
    pub fn made_in(&self, result: &ResultFile) -> Option<Comparison> {
        let mut comparing = self.begin(result)?;
        comparing.step(ALL_AT_ONCE);
        comparing.found()
    }

    /// Starts the comparison of the two in `result`; None where one is missing, or as for [`Comparison::of_pairs`].
    pub fn begin(&self, result: &ResultFile) -> Option<ComparisonJob> {
        let section = result.substitution()?;
        let values = |series: &SeriesId| section.values(self.histogram, series);
        let first = values(&self.first)?;
        match &self.second {
            Some(second) => ComparisonJob::of_pairs(first, values(second)?),
            None => ComparisonJob::of_pairs(first, &vec![0.0; first.len()]),
        }
    }
}

/// The state of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evidence {
    /// It is finished.
    Found(Comparison),
    /// It is not finished yet.
    Pending,
    /// It is impossible: there are fewer than 6 prompts, or values are not finite.
    Impossible,
}

impl From<Option<Comparison>> for Evidence {
    fn from(found: Option<Comparison>) -> Self {
        found.map_or(Self::Impossible, Self::Found)
    }
}

/// Provides comparisons to the code that writes conclusions.
pub type Compare<'a> = dyn Fn(&Pair) -> Evidence + 'a;

/// Computes each comparison in `result` when it is requested: 11 ms for 1,200 prompts.
pub fn at_once(result: &ResultFile) -> impl Fn(&Pair) -> Evidence {
    |pair| pair.made_in(result).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f32; 10] = [3.0, 5.0, 2.0, 8.0, 6.0, 7.0, 4.0, 9.0, 5.0, 6.0];
    const B: [f32; 10] = [2.0, 3.0, 3.0, 5.0, 6.0, 4.0, 3.0, 7.0, 4.0, 4.0];

    #[test]
    fn comparison_is_paired() {
        let found = Comparison::of_pairs(&A, &B).expect("a value");
        let close = |value: f64, expected: f64| (value - expected).abs() < 1e-9;
        assert_eq!((found.n, found.wins, found.losses), (10, 8, 1));
        assert_eq!(Comparison::of_pairs(&B, &A), Some(found.reversed()));
        assert!(close(found.mean, 1.4), "{found:?}");
        assert!(
            close(found.interval.low, 0.7) && close(found.interval.high, 2.1),
            "{found:?}"
        );
        assert!(found.beats() && !found.is_beaten());
        let reversed = Comparison::of_pairs(&B, &A).expect("a value");
        assert!(!reversed.beats() && reversed.is_beaten());
        let same = Comparison::of_pairs(&A, &A).expect("a value");
        assert!(!same.beats() && !same.is_beaten() && same.wins == 0);
        // The spread is far larger than the differences, so that only a paired comparison detects them.
        let far: Vec<f32> = (0..50u16).map(|i| f32::from(i) * 100.0).collect();
        let above: Vec<f32> = far.iter().map(|value| value + 0.5).collect();
        assert!(Comparison::of_pairs(&above, &far).expect("a value").beats());
    }

    #[test]
    fn differences_of_two_kinds_are_two_groups() {
        let kinds: Vec<f32> = (0..40u8)
            .map(|i| f32::from(i % 2) * 10.0 + f32::from(i) / 40.0)
            .collect();
        let found = Comparison::of_pairs(&kinds, &[0.0; 40]).expect("a value");
        let groups = found.groups.expect("two groups");
        assert_eq!((groups.low.n, groups.high.n), (20, 20));
        assert_eq!(Comparison::of_pairs(&kinds, &kinds).expect("a value").groups, None);
    }

    #[test]
    fn comparison_needs_six_finite_pairs() {
        assert_eq!(Comparison::of_pairs(&[], &[]), None);
        assert_eq!(Comparison::of_pairs(&[1.0; 5], &[0.0; 5]), None);
        assert_eq!(Comparison::of_pairs(&[1.0; 7], &[0.0; 6]), None);
        for odd in [f32::NAN, f32::INFINITY] {
            let values = [1.0, 2.0, 3.0, 4.0, 5.0, odd];
            assert_eq!(Comparison::of_pairs(&values, &[0.0; 6]), None, "{odd}");
            assert_eq!(Comparison::of_pairs(&values, &values), None, "{odd}");
        }
        let far = Comparison::of_pairs(&[f32::MAX; 6], &[f32::MIN; 6]);
        assert!(far.expect("a value").beats());
    }

    #[test]
    fn bit_by_bit_is_the_same() {
        let mut comparing = ComparisonJob::of_pairs(&A, &B).expect("a comparison");
        assert_eq!(comparing.pairs(), 10);
        assert_eq!(comparing.clone().found(), None, "nothing is drawn yet");
        let mut steps = 1;
        while !comparing.step(333) {
            steps += 1;
        }
        assert_eq!(steps, 7, "2,000 resamples");
        assert!(comparing.step(1), "nothing is left");
        assert_eq!(comparing.found(), Comparison::of_pairs(&A, &B));
    }
}
