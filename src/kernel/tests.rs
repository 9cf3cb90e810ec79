//! Compares every operation with a plain implementation in f64.

use super::attention::NO_PARENT;
use super::functions::exp;
use super::lanes::{Lanes, Plain};
use super::operations::{self, Input, Linear, work_len};
use super::team::{Sleep, Team};
use super::*;

/// Reproducible pseudo-random numbers.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// From 0 to `most`.
    fn up_to(&mut self, most: usize) -> usize {
        self.next() as usize % (most + 1)
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| self.next() as f32 / (1u64 << 30) as f32 - 1.0)
            .collect()
    }

    fn function(&mut self) -> Function {
        FUNCTIONS[self.up_to(4)]
    }
}

const FUNCTIONS: [Function; 5] = [
    Function::Identity,
    Function::GeluNew,
    Function::Gelu,
    Function::Relu,
    Function::Silu,
];

/// `function` in f64.
fn exact(function: Function, x: f64) -> f64 {
    match function {
        Function::Identity => x,
        Function::GeluNew => {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            0.5 * x * (1.0 + u.tanh())
        }
        Function::Gelu => 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2),
        Function::Relu => x.max(0.0),
        Function::Silu => x / (1.0 + (-x).exp()),
    }
}

fn exact_norm(x: &[f32], width: usize, norm: &Norm<'_>) -> Vec<f64> {
    let mut out = vec![];
    for row in x.chunks_exact(width) {
        let n = width as f64;
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        for (index, &v) in row.iter().enumerate() {
            let (weight, bias) = norm.affine.map_or((1.0, 0.0), |(w, b)| (w[index], b[index]));
            let normalized = (f64::from(v) - mean) / (variance + norm.eps).sqrt();
            out.push(normalized * f64::from(weight) + f64::from(bias));
        }
    }
    out
}

/// `function(x w + bias)`, and the size of its sums, to which rounding errors are proportional.
fn exact_product(x: &[f64], w: &[f32], [k, n]: [usize; 2], bias: Option<&[f32]>, f: Function) -> (Vec<f64>, f64) {
    let (mut out, mut size) = (vec![], 1f64);
    for row in x.chunks_exact(k) {
        for column in 0..n {
            let mut sum = bias.map_or(0.0, |bias| f64::from(bias[column]));
            let mut of_sizes = sum.abs();
            for (at, &v) in row.iter().enumerate() {
                let term = v * f64::from(w[at * n + column]);
                sum += term;
                of_sizes += term.abs();
            }
            size = size.max(of_sizes);
            out.push(exact(f, sum));
        }
    }
    (out, size)
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| f64::from(v)).collect()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(found) - expected).abs();
        assert!(difference <= tolerance, "{what}: {index}: {found}, not {expected}");
    }
}

#[test]
fn products_of_hundreds_of_shapes_are_those_of_f64() {
    let mut draws = Draws(1);
    for case in 0..400 {
        // Mostly small, so that every remainder occurs; some span several tiles, panels and blocks of terms.
        let most = if case % 20 == 0 { [150, 900, 300] } else { [30, 70, 70] };
        let [m, k, n] = most.map(|most| draws.up_to(most));
        let k = k.max(1);
        let (x, w) = (draws.numbers(m * k), draws.numbers(k * n));
        let (weight, bias, residual) = (draws.numbers(k), draws.numbers(n), draws.numbers(m * n));
        let norm_bias = draws.numbers(k);
        let norm = [
            None,
            Some(Norm {
                eps: 1e-5,
                affine: None,
            }),
            Some(Norm {
                eps: 1e-5,
                affine: Some((&weight, &norm_bias)),
            }),
        ][draws.up_to(2)];
        let options = Options {
            norm,
            bias: (draws.up_to(1) == 1).then_some(&bias),
            function: draws.function(),
            residual: (draws.up_to(1) == 1).then_some(&residual),
        };
        let matrix = Matrix::new(&w, k, n).unwrap();
        let found = Kernel::new(1).product(&x, &matrix, options).unwrap();
        let rows = norm.map_or_else(|| wide(&x), |norm| exact_norm(&x, k, &norm));
        let (mut expected, size) = exact_product(&rows, &w, [k, n], options.bias, options.function);
        if let Some(residual) = options.residual {
            expected
                .iter_mut()
                .zip(residual)
                .for_each(|(sum, &v)| *sum += f64::from(v));
        }
        assert_close(
            &found,
            &expected,
            2e-6 * size,
            &format!("case {case}: [{m}, {k}] x [{k}, {n}]"),
        );
        assert_eq!(
            found,
            Kernel::new(3).product(&x, &matrix, options).unwrap(),
            "three threads"
        );
    }
}

#[test]
fn a_part_of_a_matrix_is_multiplied_with_as_if_it_were_one() {
    let mut draws = Draws(2);
    for case in 0..200 {
        let [m, k, n] = [20, 60, 60].map(|most| draws.up_to(most).max(1));
        let (first_row, first_column) = (draws.up_to(k - 1), draws.up_to(n - 1));
        let (rows, columns) = (draws.up_to(k - first_row - 1) + 1, draws.up_to(n - first_column));
        let (x, w, bias) = (draws.numbers(m * rows), draws.numbers(k * n), draws.numbers(columns));
        let mut packed = vec![0.0; pack::matrix_len(k, n)];
        // In two parts, as the page's worker packs it.
        let cut = draws.up_to(k);
        pack::pack_matrix(&w[..cut * n], n, k, 0, &mut packed);
        pack::pack_matrix(&w[cut * n..], n, k, cut, &mut packed);
        let input = Input {
            x: &x,
            rows: m,
            width: rows,
            norm: None,
        };
        let linear = Linear {
            matrix: product::Matrix {
                packed: &packed,
                all_rows: k,
                first_row,
                first_column,
                columns,
            },
            bias: Some(&bias),
            function: Function::Identity,
        };
        let (mut work, mut out) = (vec![0.0; work_len(m, &[rows])], vec![0.0; m * columns]);
        operations::product::<Alone>(&Team::new(), input, linear, None, &mut work, &mut out).unwrap();
        let part: Vec<f32> = (first_row..first_row + rows)
            .flat_map(|row| &w[row * n + first_column..][..columns])
            .copied()
            .collect();
        let (expected, size) = exact_product(&wide(&x), &part, [rows, columns], Some(&bias), Function::Identity);
        assert_close(&out, &expected, 1e-6 * size, &format!("case {case}"));
    }
}

struct Alone;

impl Sleep for Alone {
    const MAX_IDLE_SLEEPS: Option<u32> = None;
    fn sleep(_: &std::sync::atomic::AtomicU32, _: u32, _: i32) {}
    fn wake(_: &std::sync::atomic::AtomicU32) {}
}

#[test]
fn mlps_are_those_of_f64() {
    let mut draws = Draws(3);
    for case in 0..100 {
        let most = if case == 0 {
            [1100, 12, 40, 12]
        } else {
            [40, 40, 90, 40]
        };
        let [m, d, hidden, n] = most.map(|most| draws.up_to(most).max(1));
        let m = if case == 0 { 1100 } else { m };
        let (x, w_in, w_out) = (
            draws.numbers(m * d),
            draws.numbers(d * hidden),
            draws.numbers(hidden * n),
        );
        let (b_in, b_out, residual) = (draws.numbers(hidden), draws.numbers(n), draws.numbers(m * n));
        let norm = Norm {
            eps: 1e-5,
            affine: None,
        };
        let first = Options {
            norm: Some(norm),
            bias: Some(&b_in),
            function: draws.function(),
            residual: None,
        };
        let second = Options {
            bias: Some(&b_out),
            residual: Some(&residual),
            ..Options::default()
        };
        let matrices = [
            Matrix::new(&w_in, d, hidden).unwrap(),
            Matrix::new(&w_out, hidden, n).unwrap(),
        ];
        let mlp = |threads| {
            Kernel::new(threads)
                .mlp(&x, &matrices[0], &matrices[1], [first, second])
                .unwrap()
        };
        let found = mlp(1);
        let (between, _) = exact_product(
            &exact_norm(&x, d, &norm),
            &w_in,
            [d, hidden],
            Some(&b_in),
            first.function,
        );
        let (mut expected, size) = exact_product(&between, &w_out, [hidden, n], Some(&b_out), Function::Identity);
        expected
            .iter_mut()
            .zip(&residual)
            .for_each(|(sum, &v)| *sum += f64::from(v));
        assert_close(&found, &expected, 3e-6 * size, &format!("case {case}"));
        assert_eq!(found, mlp(3), "three threads");
    }
}

#[test]
fn attention_is_that_of_f64_over_short_and_long_chains() {
    let mut draws = Draws(4);
    for case in 0..60 {
        let rows = if case % 10 == 0 { 300 } else { draws.up_to(40) };
        let (n_head, d_head) = (draws.up_to(3) + 1, draws.up_to(70) + 1);
        let d = n_head * d_head;
        let qkv: Vec<f32> = draws.numbers(rows * 3 * d).iter().map(|v| 3.0 * v).collect();
        // Chains with occasional forks.
        let parents: Vec<Option<usize>> = (0..rows)
            .map(|row| match draws.up_to(9) {
                0 if case % 20 > 0 => None,
                1 => row.checked_sub(draws.up_to(row) + 1),
                _ => row.checked_sub(1),
            })
            .collect();
        let first = draws.up_to(rows);
        let factor = 1.0 / (d_head as f32).sqrt();
        let tree = Tree {
            parents: &parents,
            first,
            n_head,
            d_head,
            factor,
        };
        let found = Kernel::new(1).attention(&qkv, tree).unwrap();
        let part = |row: usize, which: usize, head: usize| &qkv[(3 * row + which) * d + head * d_head..][..d_head];
        let mut expected = vec![];
        for row in first..rows {
            let attended: Vec<usize> = std::iter::successors(Some(row), |&row| parents[row]).collect();
            for head in 0..n_head {
                let score = |&key: &usize| {
                    let products = part(row, 0, head).iter().zip(part(key, 1, head));
                    products.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum::<f64>() * f64::from(factor)
                };
                let exponentials: Vec<f64> = attended.iter().map(|key| score(key).exp()).collect();
                let total: f64 = exponentials.iter().sum();
                expected.extend((0..d_head).map(|at| {
                    let values = exponentials.iter().zip(&attended);
                    let sum = values
                        .map(|(e, &value)| e * f64::from(part(value, 2, head)[at]))
                        .sum::<f64>();
                    sum / total
                }));
            }
        }
        assert_close(
            &found,
            &expected,
            1e-5,
            &format!("case {case}: {rows} rows, {n_head} heads of {d_head}"),
        );
        assert_eq!(found, Kernel::new(3).attention(&qkv, tree).unwrap(), "three threads");
    }
    assert_eq!(NO_PARENT, u32::MAX, "what scripts/page/kernel.js writes");
}

#[test]
fn layer_norm_and_softmax_are_those_of_f64() {
    let mut draws = Draws(5);
    for case in 0..60 {
        let (rows, width) = (draws.up_to(40), draws.up_to(100) + 1);
        // A mean that is large relative to the deviations.
        let x: Vec<f32> = draws.numbers(rows * width).iter().map(|v| v + 50.0).collect();
        let (weight, bias) = (draws.numbers(width), draws.numbers(width));
        let norm = Norm {
            eps: 1e-5,
            affine: (case % 2 == 0).then_some((&weight, &bias)),
        };
        let found = Kernel::new(2).layer_norm(&x, width, norm).unwrap();
        assert_close(&found, &exact_norm(&x, width, &norm), 1e-5, "LayerNorm");
        let mut x: Vec<f32> = draws.numbers(rows * width).iter().map(|v| 20.0 * v).collect();
        let expected: Vec<f64> = x
            .chunks_exact(width)
            .flat_map(|row| {
                let e: Vec<f64> = row.iter().map(|&v| f64::from(v).exp()).collect();
                let total: f64 = e.iter().sum();
                e.into_iter().map(move |e| e / total)
            })
            .collect();
        Kernel::new(2).softmax(&mut x, width).unwrap();
        assert_close(&x, &expected, 1e-6, "softmax");
    }
}

fn value(function: Function, x: f32) -> f64 {
    let mut eight = [x; 8];
    function.apply::<Plain>(&mut eight);
    f64::from(eight[0])
}

#[test]
fn functions_are_within_what_they_say() {
    let mut largest = [0f64; 6];
    for i in -86_000..=87_000 {
        let x = i as f32 / 1000.0;
        let wide = |value: Plain| f64::from(value.to_array()[0]);
        let e = f64::from(x).exp();
        largest[5] = largest[5].max((wide(exp(Plain::splat(x))) - e).abs() / e);
        for (function, largest) in FUNCTIONS.into_iter().zip(&mut largest) {
            let expected = exact(function, f64::from(x));
            let difference = (value(function, x) - expected).abs() / expected.abs().max(1.0);
            *largest = largest.max(difference);
        }
    }
    println!(
        "largest differences: {:?}",
        largest.map(|difference| format!("{difference:.1e}"))
    );
    assert!(largest[..5].iter().all(|&difference| difference < 1e-6), "{largest:?}");
    assert!(largest[5] < 3e-7, "{largest:?}");
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    for function in FUNCTIONS {
        assert!(value(function, f32::NAN).is_nan(), "{function:?}");
    }
    let mut x = [1.0, 2.0, 3.0, 4.0, f32::NAN, 0.0];
    Kernel::new(1).softmax(&mut x, 6).unwrap();
    assert!(x.iter().all(|v| v.is_nan()), "{x:?}");
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let matrix = Matrix::new(&[1.0; 6], 2, 3).unwrap();
    let kernel = Kernel::new(1);
    assert!(Matrix::new(&[1.0; 5], 2, 3).is_err());
    assert!(kernel.product(&[1.0; 3], &matrix, Options::default()).is_err());
    let short = Options {
        bias: Some(&[1.0; 2]),
        ..Options::default()
    };
    let error = kernel.product(&[1.0; 2], &matrix, short).err().unwrap().to_string();
    assert!(
        error.contains("the bias has 2 numbers") && error.contains('3'),
        "{error}"
    );
    assert!(
        kernel
            .mlp(&[1.0; 2], &matrix, &matrix, [Options::default(); 2])
            .is_err()
    );
    let tree = Tree {
        parents: &[Some(0)],
        first: 0,
        n_head: 1,
        d_head: 1,
        factor: 1.0,
    };
    assert!(kernel.attention(&[1.0; 3], tree).is_err(), "a row that follows itself");
    assert!(kernel.product(&[], &matrix, Options::default()).unwrap().is_empty());
    let norm = Norm {
        eps: 1e-5,
        affine: None,
    };
    assert!(kernel.layer_norm(&[], 0, norm).unwrap().is_empty());
    kernel.softmax(&mut [], 0).unwrap();
}
