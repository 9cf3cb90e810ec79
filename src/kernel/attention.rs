//! Attention over a prefix tree: each row attends to itself and its ancestors.

use super::functions::{exp, exponentials, largest};
use super::lanes::Lanes;
use super::output::Output;

/// Number of rows per piece of work.
const TILE_ROWS: usize = 4;
/// Number of source rows that are processed at once. If there are more, the sums so far are rescaled to the new maximum
/// (online softmax).
const SOURCES_AT_ONCE: usize = 64;
/// The parent of a row at position 0.
pub const NO_PARENT: u32 = u32::MAX;

/// Computes `z [rows, d_model]` of all heads, for the rows from `first` on.
#[derive(Clone, Copy)]
pub(super) struct Attention<'a> {
    /// Queries, keys and values, `[all rows, 3 * d_model]`.
    pub(super) qkv: &'a [f32],
    /// For every row the row of the preceding position, [`NO_PARENT`] at position 0. Parents precede their children.
    pub(super) parents: &'a [u32],
    pub(super) first: usize,
    pub(super) rows: usize,
    pub(super) heads: usize,
    pub(super) d_head: usize,
    /// Factor of the product of query and key.
    pub(super) factor: f32,
    pub(super) z: Output<'a>,
}

/// Some of the rows that a row attends to, nearest first, and the one after them.
struct Attended {
    rows: [u32; SOURCES_AT_ONCE],
    count: usize,
    next: u32,
}

impl Attention<'_> {
    /// Number of independent pieces of work.
    pub(super) fn tiles(&self) -> usize {
        self.rows.div_ceil(TILE_ROWS)
    }

    pub(super) fn run<V: Lanes>(&self, tile: usize) {
        let d = self.heads * self.d_head;
        for row in tile * TILE_ROWS..((tile + 1) * TILE_ROWS).min(self.rows) {
            // SAFETY: rows do not overlap, and each belongs to one tile.
            let z = unsafe { self.z.part(row * d, d) };
            let row = self.first + row;
            let nearest = self.attended(row as u32);
            for (head, z) in z.chunks_exact_mut(self.d_head.max(1)).enumerate() {
                self.head::<V>(row, head, &nearest, z);
            }
        }
    }

    /// Up to [`SOURCES_AT_ONCE`] rows: `row` and its ancestors.
    fn attended(&self, row: u32) -> Attended {
        let mut attended = Attended {
            rows: [0; SOURCES_AT_ONCE],
            count: 0,
            next: row,
        };
        for to in &mut attended.rows {
            if attended.next == NO_PARENT {
                break;
            }
            *to = attended.next;
            attended.count += 1;
            attended.next = self.parents[attended.next as usize];
        }
        attended
    }

    /// One head's `z` of `row`, which attends to `nearest` and the rows after these.
    fn head<V: Lanes>(&self, row: usize, head: usize, nearest: &Attended, z: &mut [f32]) {
        z.fill(0.0);
        let (mut most, mut total) = (f32::NEG_INFINITY, 0.0);
        self.add_sources::<V>(row, head, nearest, z, &mut most, &mut total);
        let mut next = nearest.next;
        while next != NO_PARENT {
            let attended = self.attended(next);
            self.add_sources::<V>(row, head, &attended, z, &mut most, &mut total);
            next = attended.next;
        }
        scale::<V>(z, 1.0 / total);
    }

    /// Adds the values of `attended` to `z`. Both `z` and `total` are relative to the largest score so far, `most`.
    fn add_sources<V: Lanes>(
        &self,
        row: usize,
        head: usize,
        attended: &Attended,
        z: &mut [f32],
        most: &mut f32,
        total: &mut f32,
    ) {
        let rows = &attended.rows[..attended.count];
        let query = self.part(row, 0, head);
        let mut scores = [0.0; SOURCES_AT_ONCE];
        let scores = &mut scores[..rows.len()];
        for (score, &key) in scores.iter_mut().zip(rows) {
            *score = dot::<V>(query, self.part(key as usize, 1, head)) * self.factor;
        }
        let larger = V::splat(largest::<V>(scores)).max(V::splat(*most)).to_array()[0];
        if *total > 0.0 && larger != *most {
            let shrink = exp(V::splat(*most - larger)).to_array()[0];
            *total *= shrink;
            scale::<V>(z, shrink);
        }
        *most = larger;
        *total += exponentials::<V>(scores, larger);
        let (mut done, width) = (0, z.len());
        while done + 32 <= width {
            self.add_values::<V, 8>(head, rows, scores, done, z);
            done += 32;
        }
        while done + 4 <= width {
            self.add_values::<V, 1>(head, rows, scores, done, z);
            done += 4;
        }
        for (at, z) in z.iter_mut().enumerate().skip(done) {
            for (&probability, &value) in scores.iter().zip(rows) {
                *z += probability * self.part(value as usize, 2, head)[at];
            }
        }
    }

    /// Adds `4 W` numbers of the values, starting at number `at`.
    #[inline(always)]
    fn add_values<V: Lanes, const W: usize>(
        &self,
        head: usize,
        rows: &[u32],
        probabilities: &[f32],
        at: usize,
        z: &mut [f32],
    ) {
        let (z, _) = z[at..][..4 * W].as_chunks_mut::<4>();
        let mut sums = [V::zero(); W];
        for (sum, z) in sums.iter_mut().zip(&*z) {
            *sum = V::load(z);
        }
        for (&probability, &value) in probabilities.iter().zip(rows) {
            let probability = V::splat(probability);
            let (values, _) = self.part(value as usize, 2, head)[at..][..4 * W].as_chunks::<4>();
            for (sum, v) in sums.iter_mut().zip(values) {
                *sum = probability.mul_add(V::load(v), *sum);
            }
        }
        for (sum, z) in sums.into_iter().zip(z) {
            sum.store(z);
        }
    }

    /// Query (0), key (1) or value (2) of `row` in `head`, `[d_head]`.
    #[inline(always)]
    fn part(&self, row: usize, which: usize, head: usize) -> &[f32] {
        &self.qkv[((3 * row + which) * self.heads + head) * self.d_head..][..self.d_head]
    }
}

fn dot<V: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    let (a_eights, a_rest) = a.as_chunks::<8>();
    let (b_eights, b_rest) = b.as_chunks::<8>();
    let mut sums = [V::zero(); 2];
    for (&[a, b, c, d, e, f, g, h], &[i, j, k, l, m, n, o, p]) in a_eights.iter().zip(b_eights) {
        sums[0] = V::load(&[a, b, c, d]).mul_add(V::load(&[i, j, k, l]), sums[0]);
        sums[1] = V::load(&[e, f, g, h]).mul_add(V::load(&[m, n, o, p]), sums[1]);
    }
    let mut sum = sums[0].add(sums[1]).sum();
    for (a, b) in a_rest.iter().zip(b_rest) {
        sum += a * b;
    }
    sum
}

fn scale<V: Lanes>(z: &mut [f32], factor: f32) {
    let (fours, rest) = z.as_chunks_mut::<4>();
    for four in fours {
        V::load(four).mul(V::splat(factor)).store(four);
    }
    for v in rest {
        *v *= factor;
    }
}
