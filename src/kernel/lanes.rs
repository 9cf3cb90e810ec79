//! The vector abstraction of the kernels: four numbers at a time, with a portable implementation.

/// `1.5 * 2^23`: adding it rounds to an integer, which is then in the low bits of the sum.
pub(super) const ROUND: f32 = 12_582_912.0;

/// Four `f32`.
///
/// NaN propagates, so that invalid weights show in the results.
pub(super) trait Lanes: Copy {
    /// Two `f64`, for sums that keep the accuracy of their terms.
    type Wide: Wide;

    fn splat(value: f32) -> Self;
    fn load(from: &[f32; 4]) -> Self;
    fn store(self, to: &mut [f32; 4]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self * factor + term`, with one or two roundings.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `if self < other { other } else { self }`: a NaN in `other` need not propagate.
    fn max(self, other: Self) -> Self;
    /// `if other < self { other } else { self }`.
    fn min(self, other: Self) -> Self;
    fn abs(self) -> Self;
    /// `if self < 0 { negative } else { other }`, lane by lane.
    fn where_negative(self, negative: Self, other: Self) -> Self;
    /// `2^n`, given `n + `[`ROUND`] with n from -126 to 127: the low bits are those of `n`, and become the exponent.
    fn power_of_two(self) -> Self;
    /// Transposes a 4 x 4 matrix.
    fn transpose(rows: [Self; 4]) -> [Self; 4];
    fn widen(self) -> [Self::Wide; 2];

    fn zero() -> Self {
        Self::splat(0.0)
    }

    fn to_array(self) -> [f32; 4] {
        let mut lanes = [0.0; 4];
        self.store(&mut lanes);
        lanes
    }

    /// The sum of the lanes.
    fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + b) + (c + d)
    }
}

/// Two `f64`.
pub(super) trait Wide: Copy {
    fn splat(value: f64) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn sum(self) -> f64;
}

/// [`Lanes`] as an array, which compilers turn into the vectors that the machine has.
#[derive(Clone, Copy)]
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) struct Plain([f32; 4]);

#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
impl Plain {
    #[inline(always)]
    fn both(self, other: Self, value: impl Fn(f32, f32) -> f32) -> Self {
        Self(core::array::from_fn(|lane| value(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    fn each(self, value: impl Fn(f32) -> f32) -> Self {
        Self(self.0.map(value))
    }
}

impl Lanes for Plain {
    type Wide = [f64; 2];

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    fn load(from: &[f32; 4]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 4]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.both(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.both(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.both(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.both(other, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.mul(factor).add(term)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.both(other, |a, b| if a < b { b } else { a })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.both(other, |a, b| if b < a { b } else { a })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.each(f32::abs)
    }

    #[inline(always)]
    fn where_negative(self, negative: Self, other: Self) -> Self {
        Self(core::array::from_fn(|lane| {
            if self.0[lane] < 0.0 {
                negative.0[lane]
            } else {
                other.0[lane]
            }
        }))
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        self.each(|v| f32::from_bits((v.to_bits() << 23).wrapping_add(1.0f32.to_bits())))
    }

    #[inline(always)]
    fn transpose(rows: [Self; 4]) -> [Self; 4] {
        core::array::from_fn(|column| Self(core::array::from_fn(|row| rows[row].0[column])))
    }

    #[inline(always)]
    fn widen(self) -> [Self::Wide; 2] {
        let [a, b, c, d] = self.0.map(f64::from);
        [[a, b], [c, d]]
    }
}

impl Wide for [f64; 2] {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        [value; 2]
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        [self[0] + other[0], self[1] + other[1]]
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        [self[0] - other[0], self[1] - other[1]]
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        [self[0] * other[0], self[1] * other[1]]
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        self[0] + self[1]
    }
}
