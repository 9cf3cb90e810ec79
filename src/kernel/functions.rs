//! Exponential, activation functions and softmax on four numbers at a time.

use super::lanes::{Lanes, ROUND};

/// The function applied to a product before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(kernel_module, allow(dead_code))]
pub enum Function {
    /// The value itself.
    Identity,
    /// GELU in the tanh form: `x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2`.
    GeluNew,
    /// GELU by the error function: `x (1 + erf(x / sqrt(2))) / 2`.
    Gelu,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + exp(-x))`.
    Silu,
}

impl Function {
    /// Applies the function to each number in place, within `1e-6 max(1, |f(x)|)` of the exact value. The length of `x`
    /// is a multiple of eight.
    pub(super) fn apply<V: Lanes>(self, x: &mut [f32]) {
        let (fours, _) = x.as_chunks_mut::<4>();
        // A separate loop for each function, so that there is no branch inside.
        match self {
            Self::Identity => {}
            Self::GeluNew => each(fours, gelu_new::<V>),
            Self::Gelu => each(fours, gelu::<V>),
            Self::Relu => each(fours, |x: V| x.max(V::zero())),
            Self::Silu => each(fours, silu::<V>),
        }
    }
}

#[inline(always)]
fn each<V: Lanes>(fours: &mut [[f32; 4]], function: impl Fn(V) -> V) {
    // Two vectors at a time: JavaScript engines reload the constants, sixteen of them, in every iteration.
    let (pairs, _) = fours.as_chunks_mut::<2>();
    for [a, b] in pairs {
        let x = [V::load(a), V::load(b)];
        function(x[0]).store(a);
        function(x[1]).store(b);
    }
}

/// `e^x`, with a relative error below 3e-7.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` by Cephes' polynomial (S. L. Moshier, `expf.c`), and `2^n` by its
/// exponent bits. `x` is clamped to the range of finite, normal results.
#[inline(always)]
pub(super) fn exp<V: Lanes>(x: V) -> V {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.max(V::splat(-87.0)).min(V::splat(88.0));
    let shifted = x.mul_add(V::splat(core::f32::consts::LOG2_E), V::splat(ROUND));
    let n = shifted.sub(V::splat(ROUND));
    let r = n.mul_add(V::splat(-LN_2_HIGH), x);
    let r = n.mul_add(V::splat(-LN_2_LOW), r);
    let mut p = V::splat(1.987_569_1e-4);
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, V::splat(c));
    }
    let of_rest = p.mul(r).mul_add(r, r).add(V::splat(1.0));
    of_rest.mul(shifted.power_of_two())
}

/// Written as `x / (1 + exp(-2 u))`, which is the same and needs one exponential.
#[inline(always)]
fn gelu_new<V: Lanes>(x: V) -> V {
    const TWICE_SQRT_2_OVER_PI: f32 = 1.595_769_2;
    let one = V::splat(1.0);
    let cubic = x.mul(x).mul_add(V::splat(0.044_715), one);
    let exponent = x.mul(V::splat(-TWICE_SQRT_2_OVER_PI)).mul(cubic);
    x.div(exp(exponent).add(one))
}

#[inline(always)]
fn silu<V: Lanes>(x: V) -> V {
    x.div(exp(V::zero().sub(x)).add(V::splat(1.0)))
}

/// By the complementary error function of `z = |x| / sqrt(2)`: `t exp(-z^2 + P(t))` with `t = 1 / (1 + z / 2)`, a fit
/// with a relative error below 1.2e-7 everywhere (Press et al., Numerical Recipes, `erfcc`).
#[inline(always)]
fn gelu<V: Lanes>(x: V) -> V {
    let z = x.abs().mul(V::splat(core::f32::consts::FRAC_1_SQRT_2));
    let t = V::splat(1.0).div(z.mul_add(V::splat(0.5), V::splat(1.0)));
    let mut p = V::splat(0.170_872_77);
    for c in [
        -0.822_152_2,
        1.488_515_9,
        -1.135_204,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_2,
    ] {
        p = p.mul_add(t, V::splat(c));
    }
    let complement = t.mul(exp(p.sub(z.mul(z))));
    let twice = x.where_negative(complement, V::splat(2.0).sub(complement));
    x.mul(twice).mul(V::splat(0.5))
}

/// Softmax of `x` in place.
pub(super) fn softmax<V: Lanes>(x: &mut [f32]) {
    let most = largest::<V>(x);
    let factor = 1.0 / exponentials::<V>(x, most);
    let (fours, rest) = x.as_chunks_mut::<4>();
    for four in fours {
        V::load(four).mul(V::splat(factor)).store(four);
    }
    for v in rest {
        *v *= factor;
    }
}

/// The largest of `x`, ignoring NaN.
pub(super) fn largest<V: Lanes>(x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let mut most = V::splat(f32::NEG_INFINITY);
    for four in fours {
        most = most.max(V::load(four));
    }
    for &v in rest {
        most = most.max(V::splat(v));
    }
    let mut all = V::splat(f32::NEG_INFINITY);
    for lane in most.to_array() {
        all = all.max(V::splat(lane));
    }
    all.to_array()[0]
}

/// Replaces `x` by `exp(x - most)`, and returns the sum.
pub(super) fn exponentials<V: Lanes>(x: &mut [f32], most: f32) -> f32 {
    let (fours, rest) = x.as_chunks_mut::<4>();
    let mut total = V::zero();
    for four in fours {
        let e = exp(V::load(four).sub(V::splat(most)));
        e.store(four);
        total = total.add(e);
    }
    let mut sum = total.sum();
    for v in rest {
        *v = exp(V::splat(*v - most)).to_array()[0];
        sum += *v;
    }
    sum
}
