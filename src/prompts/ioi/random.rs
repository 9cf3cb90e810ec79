//! The random number generators of Python, NumPy and torch, reproduced exactly.
//!
//! All three use the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998); they differ in seeding and in how they
//! turn its 32-bit words into results. This matches CPython 3.8 to 3.11, NumPy's legacy `RandomState` (1.x and 2.x) and
//! torch 2.6 on the CPU.

use rand_mt::Mt;

/// Python's `random`, seeded with an integer.
pub struct PythonRandom {
    mt: Mt,
}

impl PythonRandom {
    /// `random.seed(seed)`: `init_by_array` of the seed's 32-bit limbs, the lowest first.
    pub fn new(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        let limbs = if high == 0 { vec![low] } else { vec![low, high] };
        Self {
            mt: Mt::new_with_key(limbs),
        }
    }

    /// `random.randrange(n)`: as many high bits as `n` has, drawn again until below `n`; 0 for `n` = 0.
    pub fn below(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        loop {
            // `leading_zeros` is 32 minus the bit length of n itself (not of n - 1), as in CPython.
            let draw = self.mt.next_u32() >> n.leading_zeros();
            if draw < n {
                return draw;
            }
        }
    }

    /// `random.choice(items)`; None when there are none.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u32) as usize)
    }

    /// `random.shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }

    /// `random.random()`: a float64 in [0, 1) of 53 bits.
    pub fn uniform(&mut self) -> f64 {
        uniform_53(&mut self.mt)
    }
}

/// `torch.manual_seed(seed)`, then `torch.randint` on the CPU.
pub struct TorchRandom {
    mt: Mt,
}

impl TorchRandom {
    /// `torch.manual_seed(seed)`: `init_genrand`.
    pub fn new(seed: u32) -> Self {
        Self { mt: Mt::new(seed) }
    }

    /// One element of `torch.randint(0, high)` for `high` < 2^28: one word, no rejection; 0 for `high` = 0.
    pub fn below(&mut self, high: u32) -> u32 {
        self.mt.next_u32().checked_rem(high).unwrap_or(0)
    }
}

/// NumPy's legacy `RandomState`.
#[derive(Clone)]
pub struct NumpyRandom {
    mt: Mt,
    /// The second value of the last pair of normal draws.
    spare_normal: Option<f64>,
}

impl NumpyRandom {
    /// `numpy.random.RandomState(seed)`, also `numpy.random.seed(seed)`: `init_genrand`.
    pub fn new(seed: u32) -> Self {
        Self {
            mt: Mt::new(seed),
            spare_normal: None,
        }
    }

    /// One index of `choice` from a list of `length`: masked words, drawn again until in range.
    pub fn choice_index(&mut self, length: u32) -> u32 {
        let last = length.saturating_sub(1);
        let mask = u32::MAX.checked_shr(last.leading_zeros()).unwrap_or(0);
        loop {
            let draw = self.mt.next_u32() & mask;
            if draw <= last {
                return draw;
            }
        }
    }

    /// `random_sample()`: a float64 in [0, 1) of 53 bits.
    pub fn uniform(&mut self) -> f64 {
        uniform_53(&mut self.mt)
    }

    /// `standard_normal()`: Marsaglia's polar method, two values from every accepted pair.
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let x1 = 2.0 * self.uniform() - 1.0;
            let x2 = 2.0 * self.uniform() - 1.0;
            let r2 = x1 * x1 + x2 * x2;
            if r2 < 1.0 && r2 != 0.0 {
                let factor = (-2.0 * r2.ln() / r2).sqrt();
                self.spare_normal = Some(factor * x1);
                return factor * x2;
            }
        }
    }
}

/// 53 bits of two words, `(a * 2^26 + b) / 2^53`: the `genrand_res53` of the Mersenne Twister's authors.
fn uniform_53(mt: &mut Mt) -> f64 {
    let (high, low) = (mt.next_u32() >> 5, mt.next_u32() >> 6);
    (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
}
