//! Arithmetic on slices. Sums are accumulated in f64, so that means and scores keep the accuracy of f32 weights.
//! `decompose` is for matrices.

mod decompose;
mod order;

pub(crate) use decompose::{Svd, svd_of_product};
pub(crate) use order::{sort_ascending, sort_descending};

/// Number of parallel accumulators, so that the compiler can use SIMD without reordering additions.
const LANES: usize = 8;

/// Sum of `x`, accumulated in f64.
pub(crate) fn sum(x: &[f32]) -> f64 {
    sum_of(x, f64::from)
}

/// Mean of `x`.
pub(crate) fn mean(x: &[f32]) -> f64 {
    sum(x) / x.len() as f64
}

/// Sum of the squared distances from `center`.
pub(crate) fn sum_of_squares(x: &[f32], center: f64) -> f64 {
    sum_of(x, |v| (f64::from(v) - center) * (f64::from(v) - center))
}

fn sum_of(x: &[f32], value: impl Fn(f32) -> f64) -> f64 {
    let mut lanes = [0f64; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += value(v);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&v| value(v)).sum::<f64>()
}

/// Dot product, accumulated in f64.
#[inline]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    debug_assert_eq!(a.len(), b.len());
    let mut lanes = [0f64; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    lanes.iter().sum::<f64>()
        + a_rest
            .iter()
            .zip(b_rest)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum::<f64>()
}

/// Dot product of f64 and f32 numbers.
pub(crate) fn dot_wide(a: &[f64], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum()
}

/// Dot product, accumulated in f32: for attention, where rows are only one head wide.
#[inline]
pub(crate) fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Subtracts the mean of `x` from it.
pub(crate) fn center(x: &mut [f32]) {
    let mean = mean(x);
    for v in x {
        *v = (f64::from(*v) - mean) as f32;
    }
}

/// Centers `x` and scales it to length 1. Returns the length of the centered vector. A constant vector becomes 0.
pub(crate) fn unit(x: &mut [f32]) -> f64 {
    center(x);
    let length = dot(x, x).sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    for v in x {
        *v = (f64::from(*v) * factor) as f32;
    }
    length
}

/// `target += source`.
#[inline]
pub(crate) fn add(target: &mut [f32], source: &[f32]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += source;
    }
}

/// `target += factor * source`.
#[inline]
pub(crate) fn add_scaled(target: &mut [f32], factor: f32, source: &[f32]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += factor * source;
    }
}

/// Unbiased standard deviation (`n - 1` in the denominator), as torch's `std`.
pub(crate) fn standard_deviation(x: &[f32]) -> f64 {
    (sum_of_squares(x, mean(x)) / (x.len() as f64 - 1.0)).sqrt()
}

/// Logarithm of the sum of the exponentials of `x`: a logit minus this is a log-probability.
pub(crate) fn log_sum_exp(x: &[f64]) -> f64 {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + x.iter().map(|v| (v - most).exp()).sum::<f64>().ln()
}

/// Softmax of `x` in place.
#[inline]
pub(crate) fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for v in x.iter_mut() {
        *v = (*v - max).exp();
        total += *v;
    }
    for v in x {
        *v /= total;
    }
}

/// Logarithm of the softmax of a row of logits.
pub(crate) fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let log_sum = f64::from(max) + sum(&exponentials).ln();
    logits
        .iter()
        .map(|&logit| (f64::from(logit) - log_sum) as f32)
        .collect()
}

/// GELU in the tanh form, `gelu_new`: `x (1 + tanh u) / 2` with `u = sqrt(2/pi) (x + 0.044715 x^3)`.
///
/// Written as `x / (1 + exp(-2 u))`, which is the same and needs one exponential.
#[inline]
pub(crate) fn gelu_new(x: f32) -> f32 {
    const TWICE_SQRT_2_OVER_PI: f32 = 1.595_769_2;
    x / (1.0 + exp(-TWICE_SQRT_2_OVER_PI * x * (1.0 + 0.044_715 * x * x)))
}

/// GELU by the error function: `x (1 + erf(x / sqrt(2))) / 2`.
///
/// Several times slower than the tanh form, because the library's error function is not vectorized.
#[inline]
pub(crate) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// SiLU: `x / (1 + exp(-x))`.
#[inline]
pub(crate) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// `e^x` to about 2 units in the last place, without branches, so that a loop over it becomes SIMD.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` by Cephes' polynomial (S. L. Moshier, `expf.c`), and `2^n` by its
/// exponent bits. `x` is clamped to the range of finite, normal results.
#[inline]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    /// Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * r * r + r + 1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_three_units_of_the_standard_library() {
        let mut largest = 0f64;
        for i in -86_000..=87_000 {
            let x = i as f32 / 1000.0;
            let expected = f64::from(x).exp();
            let difference = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(difference.is_finite(), "exp({x}) is {}", exp(x));
            largest = largest.max(difference);
        }
        println!("exp: largest relative difference {largest:.2e}");
        assert!(largest < 3.0 * f64::from(f32::EPSILON), "{largest}");
    }

    #[test]
    fn gelu_new_is_the_tanh_form() {
        let mut largest = 0f64;
        for i in -20_000..=20_000 {
            let x = i as f32 / 1000.0;
            let y = f64::from(x);
            let u = (2.0 / std::f64::consts::PI).sqrt() * (y + 0.044715 * y * y * y);
            let expected = 0.5 * y * (1.0 + u.tanh());
            let difference = (f64::from(gelu_new(x)) - expected).abs() / (1.0 + expected.abs());
            assert!(difference.is_finite(), "gelu_new({x}) is {}", gelu_new(x));
            largest = largest.max(difference);
        }
        println!("gelu: largest difference {largest:.2e}");
        assert!(largest < 5e-7, "{largest}");
        assert!(gelu_new(-1e30).abs() < 1e-7);
        assert_eq!(gelu_new(1e30), 1e30);
    }

    #[test]
    fn gelu_and_silu_have_known_values() {
        // From SciPy: x * scipy.stats.norm.cdf(x), x * scipy.special.expit(x).
        for (x, of_gelu, of_silu) in [
            (-3.0, -0.004_049_694, -0.142_277_62),
            (-1.0, -0.158_655_25, -0.268_941_43),
            (0.0, 0.0, 0.0),
            (0.5, 0.345_731_23, 0.311_229_66),
            (1.0, 0.841_344_7, 0.731_058_5),
            (3.0, 2.995_950_3, 2.857_722_3),
        ] {
            assert!((gelu(x) - of_gelu).abs() < 3e-7, "gelu({x}) is {}", gelu(x));
            assert!((silu(x) - of_silu).abs() < 3e-7, "silu({x}) is {}", silu(x));
        }
        for far in [1e30, -1e30] {
            assert!((gelu(far) - far.max(0.0)).abs() < 1e-6 * far.abs());
            assert!((silu(far) - far.max(0.0)).abs() < 1e-6 * far.abs());
        }
    }

    #[test]
    fn unit_vectors_are_centered_and_one_long() {
        let mut x = [3.0, 1.0, -1.0, 5.0, 12.0];
        let mut centered = x;
        center(&mut centered);
        assert!((unit(&mut x) - dot(&centered, &centered).sqrt()).abs() < 1e-6);
        assert!(mean(&x).abs() < 1e-7 && (dot(&x, &x) - 1.0).abs() < 1e-6, "{x:?}");
        let mut constant = [7.0; 5];
        assert_eq!(unit(&mut constant), 0.0);
        assert_eq!(constant, [0.0; 5]);
    }

    #[test]
    fn sums_over_any_length() {
        for n in 1..40 {
            let x: Vec<f32> = (0..n).map(|i| i as f32 + 1.0).collect();
            let squares: f64 = (1..=n).map(|i| (i * i) as f64).sum();
            assert_eq!(sum(&x), (n * (n + 1) / 2) as f64);
            assert_eq!(dot(&x, &x), squares);
            assert_eq!(f64::from(dot_f32(&x, &x)), squares);
            assert_eq!(sum_of_squares(&x, 0.0), squares);
        }
    }
}
