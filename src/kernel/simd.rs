//! [`Lanes`] with WebAssembly's vectors: `simd128`, and `relaxed-simd` if the module is built for it.

use core::arch::wasm32::*;

use super::lanes::{Lanes, Wide};

/// Four `f32`.
#[derive(Clone, Copy)]
pub(super) struct Simd(v128);

/// Two `f64`.
#[derive(Clone, Copy)]
pub(super) struct SimdWide(v128);

impl Lanes for Simd {
    type Wide = SimdWide;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(f32x4_splat(value))
    }

    #[inline(always)]
    fn load(from: &[f32; 4]) -> Self {
        // SAFETY: a reference to 16 readable bytes; `v128.load` does not require alignment.
        Self(unsafe { v128_load(from.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 4]) {
        // SAFETY: a reference to 16 writable bytes; `v128.store` does not require alignment.
        unsafe { v128_store(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(f32x4_div(self.0, other.0))
    }

    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(f32x4_relaxed_madd(self.0, factor.0, term.0))
    }

    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(f32x4_add(f32x4_mul(self.0, factor.0), term.0))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // Not `f32x4_pmax`: the compiler turns it into a relaxed maximum, where a browser may lose NaN.
        Self(v128_bitselect(other.0, self.0, f32x4_lt(self.0, other.0)))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(v128_bitselect(other.0, self.0, f32x4_lt(other.0, self.0)))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(f32x4_abs(self.0))
    }

    #[inline(always)]
    fn where_negative(self, negative: Self, other: Self) -> Self {
        Self(v128_bitselect(negative.0, other.0, f32x4_lt(self.0, f32x4_splat(0.0))))
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(i32x4_add(i32x4_shl(self.0, 23), f32x4_splat(1.0)))
    }

    #[inline(always)]
    fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let ab_low = i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
        let ab_high = i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
        let cd_low = i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
        let cd_high = i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
        [
            Self(i64x2_shuffle::<0, 2>(ab_low, cd_low)),
            Self(i64x2_shuffle::<1, 3>(ab_low, cd_low)),
            Self(i64x2_shuffle::<0, 2>(ab_high, cd_high)),
            Self(i64x2_shuffle::<1, 3>(ab_high, cd_high)),
        ]
    }

    #[inline(always)]
    fn widen(self) -> [Self::Wide; 2] {
        let high = i64x2_shuffle::<1, 1>(self.0, self.0);
        [
            SimdWide(f64x2_promote_low_f32x4(self.0)),
            SimdWide(f64x2_promote_low_f32x4(high)),
        ]
    }
}

impl Wide for SimdWide {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(f64x2_splat(value))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(f64x2_add(self.0, other.0))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(f64x2_sub(self.0, other.0))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(f64x2_mul(self.0, other.0))
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        f64x2_extract_lane::<0>(self.0) + f64x2_extract_lane::<1>(self.0)
    }
}
