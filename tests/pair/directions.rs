//! The directions of a head.

use keyside::analysis::pair::{self, Directions, Pair, QkSvd, ScoreDecomposition, direction_tokens};
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::{Head, Relative, Side};
use rand_mt::Mt;

use crate::common::{block_on, tiny};
use crate::direct::{every_processing, random_model};
use crate::golden_file::Golden;
use crate::golden_file::pairs::Case;
use crate::{size, sum};

fn svd(model: &mut Model, head: Head) -> QkSvd {
    QkSvd::new(&block_on(model.head_weights(head, &NoMonitor)).unwrap())
}

/// Compares the arrays of the head's directions with those of `case`: contributions by group.
pub fn check_golden(golden: &mut Golden, model: &mut Model, case: &Case, decomposition: &ScoreDecomposition) {
    let svd = svd(model, case.head);
    for (relative, contributions) in [
        (None, "svd_contributions"),
        (Some(Relative::Attention), "svd_contributions_minus_attention"),
    ] {
        let found = decomposition.directions(&svd, relative).unwrap();
        case.check_groups(golden, contributions, &found.of_groups(), &found.groups);
        match relative {
            None => {
                case.check(golden, "svd_singular_values", &found.values);
                case.check(golden, "svd_biases", &found.biases);
            }
            Some(_) => case.check(golden, "svd_bias_minus_attention", &found.biases[1..2]),
        }
    }
}

fn close(found: f64, expected: f64, terms: &[f32], what: &str) {
    let difference = (found - expected).abs();
    assert!(
        difference <= 1e-4 + 1e-6 * size(terms),
        "{what}: {found} for {expected}"
    );
}

/// Checks what must hold of `found`, which is relative to `relative`.
fn check(decomposition: &ScoreDecomposition, svd: &QkSvd, found: &Directions, relative: Option<Relative>) {
    let what = format!("{relative:?}");
    assert!(found.values.is_sorted_by(|one, next| one >= next && *next >= 0.0));
    let all = [&found.contributions[..], &found.biases].concat();
    close(sum(&all), f64::from(found.score), &all, &what);
    close(sum(&found.of_groups()), sum(&found.contributions), &all, &what);
    if relative.is_some() {
        assert_eq!((found.biases[0], found.biases[2]), (0.0, 0.0));
    }
    let explaining = found.explaining();
    assert!((1..=found.groups.len()).contains(&explaining), "{explaining}");
    // Without biases the table's rows and columns are what directions are, added up.
    let table = match relative {
        Some(to) => decomposition.relative(to).unwrap(),
        None => decomposition.table(),
    };
    let count = decomposition.components.len() - 1;
    let rows = |table: &keyside::analysis::Array| -> Vec<f64> {
        (0..count).map(|row| sum(&table.row(row).unwrap()[..count])).collect()
    };
    let mut by_query = vec![0f64; count];
    let mut by_key = vec![0f64; count];
    for (direction, &contribution) in found.contributions.iter().enumerate() {
        let along = decomposition.along(svd, direction, relative).unwrap();
        for (side, by) in [(&along.query, &mut by_query), (&along.key, &mut by_key)] {
            close(sum(side), f64::from(contribution), side, &what);
            by.iter_mut().zip(side).for_each(|(total, &v)| *total += f64::from(v));
        }
    }
    for (row, expected) in rows(&table).into_iter().enumerate() {
        close(by_query[row], expected, table.row(row).unwrap(), &what);
    }
    for (column, of_key) in by_key.into_iter().enumerate() {
        let cells: Vec<f32> = (0..count).map(|row| table.row(row).unwrap()[column]).collect();
        close(of_key, sum(&cells), &cells, &what);
    }
}

#[test]
fn directions_add_up_under_every_processing() {
    let mut random = Mt::new(22);
    let mut below = |end: usize| random.next_u32() as usize % end;
    for (seed, processing) in (100..).zip(every_processing()) {
        check_random(&mut random_model(seed, processing), &mut below);
    }
}

/// Checks what directions have to add up to in two random sentences.
pub fn check_random(model: &mut Model, below: &mut impl FnMut(usize) -> usize) {
    let d_head = model.config().d_head();
    for _ in 0..2 {
        let tokens: Vec<u32> = (0..1 + below(12)).map(|_| below(600) as u32).collect();
        let dest = below(tokens.len());
        let asked = Pair {
            src: below(dest + 1),
            dest,
            tokens,
            head: Head::new(below(model.config().n_layer), below(model.config().n_head)),
        };
        let decomposition = block_on(pair::decomposition(model, &asked, &NoMonitor)).unwrap();
        let svd = svd(model, asked.head);
        let mut relatives = vec![None, Some(Relative::Mean), Some(Relative::Attention)];
        // Relative to itself a score is nothing.
        relatives.extend(
            (0..=dest)
                .filter(|position| *position != asked.src)
                .map(|position| Some(Relative::Position(position))),
        );
        for relative in relatives.into_iter().filter(|relative| relative.is_none() || dest > 0) {
            let found = decomposition.directions(&svd, relative).unwrap();
            check(&decomposition, &svd, &found, relative);
        }
        let error = decomposition
            .directions(&svd, Some(Relative::Position(dest + 1)))
            .unwrap_err();
        assert!(error.cause.contains("can't be made relative"), "{error}");
        let error = decomposition.along(&svd, d_head, None).unwrap_err();
        assert!(error.cause.contains(&format!("no direction {d_head}")), "{error}");
    }
}

#[test]
fn vectors_turn_so_that_the_query_goes_along() {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let asked = Pair {
        tokens: vec![5, 80, 300, 41, 80],
        dest: 4,
        src: 1,
        head: Head::new(2, 1),
    };
    let decomposition = block_on(pair::decomposition(&mut model, &asked, &NoMonitor)).unwrap();
    let svd = svd(&mut model, asked.head);
    let found = decomposition.directions(&svd, None).unwrap();
    let resid = block_on(model.resid_pre(&asked.tokens, 2, &NoMonitor)).unwrap();
    let weights = block_on(model.head_weights(asked.head, &NoMonitor)).unwrap();
    let (normalized, _) = weights.normalize(&resid);
    let at = |position: usize| &normalized[position * 32..][..32];
    let dot = |x: &[f32], y: &[f64]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * y).sum::<f64>();
    assert!(
        found.flip_sign.contains(&true) && found.flip_sign.contains(&false),
        "{:?}",
        found.flip_sign
    );
    for (direction, &flip_sign) in found.flip_sign.iter().enumerate() {
        let [u, v] = svd.vectors(direction).unwrap();
        let sign = if flip_sign { -1.0 } else { 1.0 };
        assert!(sign * dot(at(4), u) >= 0.0);
        let expected = svd.values()[direction] * dot(at(4), u) * dot(at(1), v);
        assert!((f64::from(found.contributions[direction]) - expected).abs() < 1e-5);
        // One long, and of the map's own space.
        for (side, vector) in Side::ALL.into_iter().zip([u, v]) {
            assert!((vector.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9, "{side}");
        }
    }
}

#[test]
fn tokens_of_a_direction_have_the_largest_cosines() {
    for processing in [
        Processing::default(),
        Processing {
            fold_ln: false,
            center_unembed: false,
            ..Processing::default()
        },
    ] {
        let mut model = random_model(7, processing);
        let all = (0..989).collect();
        block_on(model.load_embedding(&all, &NoMonitor)).unwrap();
        let svd = svd(&mut model, Head::new(2, 1));
        let tokens = block_on(direction_tokens(&model, &svd, 3, &NoMonitor)).unwrap();
        let cosine = |x: &[f64], y: &[f32]| {
            let dot: f64 = x.iter().zip(y).map(|(x, y)| x * f64::from(*y)).sum();
            let length = |vector: &mut dyn Iterator<Item = f64>| vector.map(|v| v * v).sum::<f64>().sqrt();
            dot / length(&mut x.iter().copied()) / length(&mut y.iter().copied().map(f64::from))
        };
        for (number, vector) in svd.vectors(3).unwrap().into_iter().enumerate() {
            let row: [(_, &dyn Fn(u32) -> Vec<f32>); 2] = [
                (&tokens.w_e[number], &|token| model.w_e(token).unwrap()),
                (&tokens.w_u[number], &|token| model.w_u(token).unwrap()),
            ];
            for (found, row) in row {
                let mut expected: Vec<(u32, f64)> =
                    (0..989).map(|token| (token, cosine(vector, &row(token)))).collect();
                expected.sort_by(|one, other| other.1.total_cmp(&one.1));
                let lowest: Vec<(u32, f64)> = expected.iter().rev().copied().take(10).collect();
                for (found, expected) in [(&found.along, &expected[..10]), (&found.against, &lowest)] {
                    assert_eq!(found.len(), 10);
                    for ((token, value), (expected_token, expected)) in found.iter().zip(expected) {
                        assert!(
                            token == expected_token && (f64::from(*value) - expected).abs() < 1e-5,
                            "{token} {value}"
                        );
                    }
                }
            }
        }
    }
}
