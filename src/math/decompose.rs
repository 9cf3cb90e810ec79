//! Singular value decomposition of a product of two thin matrices, in f64.
//!
//! `A B^T` of `A, B [m, n]` with `m >> n` has rank `n` at most. With `A = Q_A R_A` and `B = Q_B R_B` (QR), its singular
//! values are those of `R_A R_B^T [n, n]`, and its singular vectors are `Q_A` and `Q_B` times those of that matrix.
//! They are found by one-sided Jacobi rotations (Hestenes 1958): pairs of columns are rotated until all are orthogonal.
//! The method is short, and accurate for small singular values, too.

use super::order::sort_descending;

/// Limit of the sweeps over all pairs of columns; ten suffice for 128 columns.
const MAX_SWEEPS: usize = 60;
/// Two columns count as orthogonal if the absolute value of their cosine is below this.
const ORTHOGONAL: f64 = 1e-14;
/// If less than this share of a column remains after orthogonalization, it is rounding noise: the column depends on
/// earlier ones.
const DEPENDENT: f64 = 1e-13;

/// `U S V^T`, the singular values descending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Svd {
    /// The columns of U, `[n][m]`; 0 for a singular value of 0.
    pub(crate) u: Vec<Vec<f64>>,
    /// `[n]`.
    pub(crate) values: Vec<f64>,
    /// The columns of V, `[n][m]`, as those of U.
    pub(crate) v: Vec<Vec<f64>>,
}

/// The singular values and vectors of `A B^T / divisor`, where `a` and `b` are the columns of A and B, `[n][m]` each.
pub(crate) fn svd_of_product(a: Vec<Vec<f64>>, b: Vec<Vec<f64>>, divisor: f64) -> Svd {
    let ((q_a, r_a), (q_b, r_b)) = (qr(a), qr(b));
    let n = r_a.len().min(r_b.len());
    // Column j of R_A R_B^T is the sum of the columns of R_A, weighted with row j of R_B.
    let column = |j: usize| {
        let terms = r_a.iter().zip(&r_b).map(|(of_a, of_b)| (of_b[j] / divisor, &of_a[..]));
        combined(terms, n)
    };
    let (columns, rotations) = jacobi((0..n).map(column).collect());
    let mut found: Vec<(f64, Vec<f64>, Vec<f64>)> = columns
        .into_iter()
        .zip(rotations)
        .map(|(mut column, rotation)| {
            let value = dot(&column, &column).sqrt();
            let factor = if value > 0.0 { 1.0 / value } else { 0.0 };
            column.iter_mut().for_each(|v| *v *= factor);
            (value, column, rotation)
        })
        .collect();
    sort_descending(&mut found, |one| one.0);
    let vectors = |q: &[Vec<f64>], small: &[f64]| {
        let length = q.first().map_or(0, Vec::len);
        combined(small.iter().copied().zip(q.iter().map(Vec::as_slice)), length)
    };
    Svd {
        u: found.iter().map(|(_, left, _)| vectors(&q_a, left)).collect(),
        v: found.iter().map(|(_, _, right)| vectors(&q_b, right)).collect(),
        values: found.into_iter().map(|(value, ..)| value).collect(),
    }
}

/// QR decomposition by Gram-Schmidt, applied twice: the orthonormal columns of Q, and those of R, upper triangular. If
/// a column depends on earlier ones, that of Q is 0.
fn qr(columns: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let n = columns.len();
    let (mut q, mut r): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for mut column in columns {
        let mut of_r = vec![0.0; n];
        let whole = dot(&column, &column).sqrt();
        for _ in 0..2 {
            for (before, of_r) in q.iter().zip(&mut of_r) {
                let along = dot(before, &column);
                *of_r += along;
                add_scaled(&mut column, -along, before);
            }
        }
        let rest = dot(&column, &column).sqrt();
        let rest = if rest > DEPENDENT * whole { rest } else { 0.0 };
        let factor = if rest > 0.0 { 1.0 / rest } else { 0.0 };
        column.iter_mut().for_each(|v| *v *= factor);
        of_r[q.len()] = rest;
        q.push(column);
        r.push(of_r);
    }
    (q, r)
}

/// Rotates pairs of `columns [n][n]` until all are orthogonal: `columns V = U S`. Returns the columns of `U S`, and
/// those of V.
fn jacobi(mut columns: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let n = columns.len();
    let unit = |number: usize| (0..n).map(|row| f64::from(u8::from(row == number))).collect();
    let mut v: Vec<Vec<f64>> = (0..n).map(unit).collect();
    for _ in 0..MAX_SWEEPS {
        let mut is_done = true;
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            let (of_p, of_q) = (dot(&columns[p], &columns[p]), dot(&columns[q], &columns[q]));
            let both = dot(&columns[p], &columns[q]);
            if both.abs() <= ORTHOGONAL * (of_p * of_q).sqrt() {
                continue;
            }
            is_done = false;
            let zeta = (of_q - of_p) / (2.0 * both);
            let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
            let cosine = 1.0 / tangent.hypot(1.0);
            for matrix in [&mut columns, &mut v] {
                rotate(matrix, (p, q), (cosine, cosine * tangent));
            }
        }
        if is_done {
            break;
        }
    }
    (columns, v)
}

/// Rotates columns `p` and `q`, `p < q`, in their plane.
fn rotate(columns: &mut [Vec<f64>], (p, q): (usize, usize), (cosine, sine): (f64, f64)) {
    let (before, from_q) = columns.split_at_mut(q);
    for (of_p, of_q) in before[p].iter_mut().zip(&mut from_q[0]) {
        (*of_p, *of_q) = (cosine * *of_p - sine * *of_q, sine * *of_p + cosine * *of_q);
    }
}

/// The weighted sum of vectors `[length]`.
fn combined<'a>(terms: impl Iterator<Item = (f64, &'a [f64])>, length: usize) -> Vec<f64> {
    let mut total = vec![0.0; length];
    terms.for_each(|(factor, vector)| add_scaled(&mut total, factor, vector));
    total
}

fn add_scaled(total: &mut [f64], factor: f64, vector: &[f64]) {
    total.iter_mut().zip(vector).for_each(|(total, v)| *total += factor * v);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand_mt::Mt;

    use super::*;

    fn random(random: &mut Mt, n: usize, m: usize) -> Vec<Vec<f64>> {
        let mut number = || f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5;
        (0..n).map(|_| (0..m).map(|_| number()).collect()).collect()
    }

    /// Largest deviation of `U S V^T` from `A B^T / divisor`, and of the vectors from orthonormality.
    fn differences(a: &[Vec<f64>], b: &[Vec<f64>], divisor: f64, svd: &Svd) -> (f64, f64) {
        let m = a[0].len();
        let entry = |left: &[Vec<f64>], right: &[Vec<f64>], factor: &dyn Fn(usize) -> f64, i: usize, j: usize| -> f64 {
            (0..left.len()).map(|k| left[k][i] * factor(k) * right[k][j]).sum()
        };
        let mut product = 0f64;
        for (i, j) in (0..m).flat_map(|i| (0..m).map(move |j| (i, j))) {
            let expected = entry(a, b, &|_| 1.0 / divisor, i, j);
            let found = entry(&svd.u, &svd.v, &|k| svd.values[k], i, j);
            product = product.max((found - expected).abs());
        }
        let mut orthogonal = 0f64;
        for vectors in [&svd.u, &svd.v] {
            for (p, q) in (0..vectors.len()).flat_map(|p| (0..=p).map(move |q| (p, q))) {
                if svd.values[p] > 0.0 {
                    let expected = f64::from(u8::from(p == q));
                    orthogonal = orthogonal.max((dot(&vectors[p], &vectors[q]) - expected).abs());
                }
            }
        }
        (product, orthogonal)
    }

    #[test]
    fn random_products_are_taken_apart() {
        let mut numbers = Mt::new(3);
        for (n, m) in [(1, 1), (1, 7), (2, 2), (8, 32), (24, 60), (64, 96)] {
            let (a, b) = (random(&mut numbers, n, m), random(&mut numbers, n, m));
            let svd = svd_of_product(a.clone(), b.clone(), 3.0);
            assert_eq!(svd.values.len(), n);
            assert!(svd.values.is_sorted_by(|one, next| one >= next && *next >= 0.0));
            let (product, orthogonal) = differences(&a, &b, 3.0, &svd);
            assert!(
                product < 1e-12 && orthogonal < 1e-11,
                "{n}: {product:.1e}, {orthogonal:.1e}"
            );
        }
    }

    #[test]
    fn known_singular_values() {
        // diag(3, 2) and the identity.
        let svd = svd_of_product(
            vec![vec![0.0, 2.0], vec![-3.0, 0.0]],
            vec![vec![0.0, 1.0], vec![1.0, 0.0]],
            0.5,
        );
        assert!(
            (svd.values[0] - 6.0).abs() < 1e-14 && (svd.values[1] - 4.0).abs() < 1e-14,
            "{svd:?}"
        );
        assert!((svd.u[0][0] * svd.v[0][0] + 1.0).abs() < 1e-14, "{svd:?}");
        // Equal singular values: 2 times a rotation.
        let svd = svd_of_product(
            vec![vec![0.0, 2.0], vec![-2.0, 0.0]],
            vec![vec![1.0, 0.0], vec![0.0, 1.0]],
            1.0,
        );
        assert!(svd.values.iter().all(|value| (value - 2.0).abs() < 1e-14), "{svd:?}");
    }

    #[test]
    fn columns_that_depend_on_others_have_singular_values_of_0() {
        let mut numbers = Mt::new(4);
        let (mut a, b) = (random(&mut numbers, 6, 20), random(&mut numbers, 6, 20));
        a[3] = a[1].iter().zip(&a[0]).map(|(one, other)| 2.0 * one - other).collect();
        a[5] = vec![0.0; 20];
        let svd = svd_of_product(a.clone(), b.clone(), 1.0);
        assert!(
            svd.values[3] > 1e-3 && svd.values[4..].iter().all(|value| *value < 1e-14),
            "{:?}",
            svd.values
        );
        assert!(differences(&a, &b, 1.0, &svd).0 < 1e-13);
        let nothing = svd_of_product(vec![vec![0.0; 4]; 2], vec![vec![0.0; 4]; 2], 1.0);
        assert_eq!(nothing.values, [0.0, 0.0]);
        assert!(nothing.u.iter().chain(&nothing.v).flatten().all(|v| v.is_finite()));
        assert_eq!(svd_of_product(Vec::new(), Vec::new(), 1.0).values, Vec::<f64>::new());
    }
}
