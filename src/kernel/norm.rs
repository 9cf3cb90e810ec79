//! LayerNorm of rows.

use super::lanes::{Lanes, Wide};

/// `(x - mean) / sqrt(mean((x - mean)^2) + eps) * weight + bias`.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// Added to the variance.
    pub eps: f64,
    /// Weight and bias, `[width]` each, if it has them.
    pub affine: Option<(&'a [f32], &'a [f32])>,
}

/// The value to subtract from a row, and the factor to multiply it with.
#[derive(Clone, Copy)]
pub(super) struct Scaling {
    /// The mean in two parts: its `f32` value, and the remainder.
    high: f32,
    low: f32,
    factor: f32,
}

impl Scaling {
    /// The identity.
    pub(super) const NONE: Self = Self {
        high: 0.0,
        low: 0.0,
        factor: 1.0,
    };

    /// Computes those of `row`, with sums in `f64`.
    pub(super) fn of<V: Lanes>(row: &[f32], eps: f64) -> Self {
        let width = row.len() as f64;
        let mean = sum_of::<V>(row, |v| v) / width;
        let center = V::Wide::splat(mean);
        let squares = sum_of::<V>(row, |v| {
            let distance = v.sub(center);
            distance.mul(distance)
        });
        let high = mean as f32;
        Self {
            high,
            low: (mean - f64::from(high)) as f32,
            factor: (1.0 / square_root(squares / width + eps)) as f32,
        }
    }

    #[inline(always)]
    pub(super) fn apply<V: Lanes>(self, v: V) -> V {
        let centered = v.sub(V::splat(self.high)).sub(V::splat(self.low));
        centered.mul(V::splat(self.factor))
    }
}

/// The sum of `term` over `row`.
#[inline(always)]
fn sum_of<V: Lanes>(row: &[f32], term: impl Fn(V::Wide) -> V::Wide) -> f64 {
    let (fours, rest) = row.as_chunks::<4>();
    let mut sums = [V::Wide::splat(0.0); 2];
    for four in fours {
        let [low, high] = V::load(four).widen();
        sums = [sums[0].add(term(low)), sums[1].add(term(high))];
    }
    let mut sum = sums[0].add(sums[1]).sum();
    for &v in rest {
        // Both lanes contain the same number.
        sum += term(V::Wide::splat(f64::from(v))).sum() / 2.0;
    }
    sum
}

#[cfg(not(kernel_module))]
fn square_root(x: f64) -> f64 {
    x.sqrt()
}

/// `core` has no square root; WebAssembly has an instruction for it.
#[cfg(kernel_module)]
fn square_root(x: f64) -> f64 {
    use core::arch::wasm32::{f64x2_extract_lane, f64x2_splat, f64x2_sqrt};
    f64x2_extract_lane::<0>(f64x2_sqrt(f64x2_splat(x)))
}

/// LayerNorm of one row, written to `out`.
pub(super) fn normalize<V: Lanes>(row: &[f32], norm: &Norm<'_>, out: &mut [f32]) {
    let scaling = Scaling::of::<V>(row, norm.eps);
    let (fours, rest) = row.as_chunks::<4>();
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    for (four, out) in fours.iter().zip(out_fours) {
        scaling.apply(V::load(four)).store(out);
    }
    for (&v, out) in rest.iter().zip(out_rest) {
        *out = scaling.apply(V::splat(v)).to_array()[0];
    }
    if let Some((weight, bias)) = norm.affine {
        // A separate loop, which compilers can vectorize.
        for ((v, w), b) in out.iter_mut().zip(weight).zip(bias) {
            *v = *v * w + b;
        }
    }
}
