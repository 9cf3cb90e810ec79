//! The measures of every head in a sentence against a direct computation, and the default pair.

use keyside::analysis::pair::{self, Sentence, Survey};
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use keyside::model::Processing;
use keyside::names::{BlockHook, Head, HookPoint};
use keyside::{ErrorKind, analysis::Array};

use crate::common::{block_on, tiny};

const LAYERS: usize = 3;
const HEADS: usize = 4;
const D_HEAD: usize = 8;

fn model(processing: Processing) -> Model {
    block_on(Model::open(Box::new(tiny()), processing)).unwrap()
}

fn survey(model: &mut Model, tokens: &[u32], dest: usize) -> Survey {
    block_on(pair::survey(model, tokens, dest, &NoMonitor)).unwrap()
}

/// Everything at once: patterns `[layer][head][query][key]`, values `[layer][position][head * d_head]`, what heads write at the
/// destination `[layer][head * d_model]`.
struct Whole {
    patterns: Vec<Vec<Vec<Vec<f32>>>>,
    values: Vec<Vec<Vec<f32>>>,
    results: Vec<Vec<f32>>,
    scale: f32,
}

fn whole(model: &mut Model, tokens: &[u32], dest: usize) -> Whole {
    let tree = PrefixTree::new([tokens]);
    let rows = tree.path(0).to_vec();
    let taps = (0..LAYERS).flat_map(|layer| {
        let point = |hook| HookPoint::block(layer, hook);
        [
            Tap::new(point(BlockHook::Pattern), rows.clone()),
            Tap::new(point(BlockHook::V), rows.clone()),
            Tap::new(point(BlockHook::Result), vec![rows[dest]]),
        ]
    });
    let taps = taps.chain([Tap::new(HookPoint::LnFinalScale, vec![rows[dest]])]);
    let mut passes = [Pass::new(tree, Request::of(taps.collect()))];
    block_on(model.run(&mut passes, LAYERS, &NoMonitor)).unwrap();
    let captured = &passes[0].captured;
    let positions = 0..tokens.len();
    Whole {
        patterns: (0..LAYERS)
            .map(|layer| {
                let of_head = |head: usize| {
                    let row = |query: usize| captured[3 * layer].row(query)[head * (query + 1)..][..query + 1].to_vec();
                    positions.clone().map(row).collect()
                };
                (0..HEADS).map(of_head).collect()
            })
            .collect(),
        values: (0..LAYERS)
            .map(|layer| {
                positions
                    .clone()
                    .map(|row| captured[3 * layer + 1].row(row).to_vec())
                    .collect()
            })
            .collect(),
        results: (0..LAYERS)
            .map(|layer| captured[3 * layer + 2].row(0).to_vec())
            .collect(),
        scale: captured[3 * LAYERS].values[0],
    }
}

/// Checks `found` against the mean over the queries of what `keys` gives for each; None where it gives none for any.
fn check(found: Option<&Array>, whole: &Whole, count: usize, keys: impl Fn(usize) -> Vec<usize>) {
    let queries: Vec<usize> = (1..count).filter(|query| !keys(*query).is_empty()).collect();
    let Some(found) = found else {
        assert!(queries.is_empty(), "{queries:?}");
        return;
    };
    assert_eq!(found.shape(), [LAYERS, HEADS]);
    for layer in 0..LAYERS {
        for head in 0..HEADS {
            let pattern = &whole.patterns[layer][head];
            let of_query = |query: &usize| {
                keys(*query)
                    .iter()
                    .map(|&key| f64::from(pattern[*query][key]))
                    .sum::<f64>()
            };
            let mean = queries.iter().map(of_query).sum::<f64>() / queries.len() as f64;
            let found = f64::from(found.data()[layer * HEADS + head]);
            assert!((found - mean).abs() < 1e-6, "{layer}.{head}: {found} for {mean}");
        }
    }
}

#[test]
fn heads_are_measured_in_the_sentence() {
    let mut model = model(Processing::default());
    for tokens in [&[5u32, 80, 5, 41, 80, 7, 5, 5][..], &[1, 2, 3, 4], &[9, 9], &[9]] {
        let of_survey = survey(&mut model, tokens, tokens.len() - 1).measures;
        // The same from stored queries and keys.
        let sentence = block_on(Sentence::read(&mut model, tokens, None, &NoMonitor)).unwrap();
        let of_sentence = block_on(sentence.measures(&model, &NoMonitor)).unwrap();
        let whole = whole(&mut model, tokens, tokens.len() - 1);
        for found in [of_survey, of_sentence] {
            let copies = |query: usize| (0..query).filter(|&key| tokens[key] == tokens[query]).collect();
            check(found.previous_token.as_ref(), &whole, tokens.len(), |query| {
                vec![query - 1]
            });
            check(found.first_token.as_ref(), &whole, tokens.len(), |_| vec![0]);
            check(found.duplicate_token.as_ref(), &whole, tokens.len(), copies);
            let has_copies = (1..tokens.len()).any(|query| tokens[..query].contains(&tokens[query]));
            assert_eq!(found.duplicate_token.is_some(), has_copies);
            assert_eq!(found.previous_token.is_some(), tokens.len() > 1);
        }
    }
}

/// The patterns of all heads of a layer, of up to 128 tokens with one row each.
#[test]
fn patterns_of_a_layer_are_those_of_its_heads() {
    let mut model = model(Processing::default());
    let long: Vec<u32> = (0..128).map(|index| (index * 37 + index * index) % 900).collect();
    for tokens in [&[5u32, 80, 5, 41, 80, 7, 5, 5][..], &[9], &long] {
        let sentence = block_on(Sentence::read(&mut model, tokens, None, &NoMonitor)).unwrap();
        let whole = whole(&mut model, tokens, tokens.len() - 1);
        for layer in 0..LAYERS {
            let found = block_on(sentence.layer(&model, layer, &NoMonitor)).unwrap();
            let rows = tokens.len();
            assert_eq!((found.layer, found.block, found.rows()), (layer, 1, rows));
            assert_eq!(found.patterns.shape(), [HEADS, rows * (rows + 1) / 2]);
            for head in 0..HEADS {
                let pattern = &whole.patterns[layer][head];
                for (row, column) in (0..rows).flat_map(|row| (0..=row).map(move |column| (row, column))) {
                    let expected = pattern[row][column];
                    let cell = found.pattern(head)[row * (row + 1) / 2 + column];
                    assert!(
                        (cell - expected).abs() < 1e-6,
                        "{layer}.{head} {row} {column}: {cell} for {expected}"
                    );
                }
            }
        }
    }
    let sentence = block_on(Sentence::read(&mut model, &[5, 80], None, &NoMonitor)).unwrap();
    let error = block_on(sentence.layer(&model, LAYERS, &NoMonitor)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Request);
}

/// The direct computation: logits of what a head writes, through W_U of all tokens, with their mean taken off.
#[test]
fn the_first_pair_is_the_one_that_moves_the_next_token_most() {
    let tokens = [5u32, 80, 300, 41, 80, 7, 44];
    for (switches, dest) in [
        (0b1111, 6),
        (0b1011, 6),
        (0b0000, 6),
        (0b1111, 3),
        (0b1011, 1),
        (0b1111, 0),
    ] {
        let on = |bit: usize| switches >> bit & 1 == 1;
        let processing = Processing {
            fold_ln: on(0),
            center_writing_weights: on(1),
            center_unembed: on(2),
            fold_value_biases: on(3),
        };
        let mut model = model(processing);
        let found = survey(&mut model, &tokens, dest);
        let log_probs = block_on(model.log_probs(&[&tokens[..=dest]], &NoMonitor))
            .unwrap()
            .remove(0);
        let likeliest = (0..log_probs.len()).max_by(|&a, &b| log_probs[a].total_cmp(&log_probs[b]));
        assert_eq!(found.first.next as usize, likeliest.unwrap());
        assert!(
            found
                .log_probs
                .iter()
                .zip(&log_probs)
                .all(|(a, b)| (a - b).abs() < 1e-5)
        );
        assert_eq!(found.first.src == 0, dest == 0);

        // Where LayerNorm's weight is folded into W_U, the columns of W_U are the ones that read the stream.
        if !processing.fold_ln {
            continue;
        }
        let vocabulary = model.config().d_vocab as u32;
        block_on(model.load_embedding(&(0..vocabulary).collect(), &NoMonitor)).unwrap();
        let columns: Vec<Vec<f32>> = (0..vocabulary).map(|token| model.w_u(token).unwrap()).collect();
        let whole = whole(&mut model, &tokens, dest);
        let mean_logit = |vector: &[f64]| {
            let logit = |column: &Vec<f32>| column.iter().zip(vector).map(|(w, v)| f64::from(*w) * v).sum::<f64>();
            let all: Vec<f64> = columns.iter().map(logit).collect();
            all[found.first.next as usize] - all.iter().sum::<f64>() / all.len() as f64
        };
        let mut effects: Vec<(f64, Head, usize)> = Vec::new();
        for layer in 0..LAYERS {
            for head in 0..HEADS {
                // W_O of the head, row by row: what a unit of each number of z adds to the stream.
                let w_o = w_o(&mut model, layer, head);
                let mut written = vec![0f64; 32];
                for src in 0..=dest {
                    let attention = f64::from(whole.patterns[layer][head][dest][src]);
                    let value = &whole.values[layer][src][head * D_HEAD..][..D_HEAD];
                    let vector: Vec<f64> = (0..32)
                        .map(|column| {
                            (0..D_HEAD)
                                .map(|i| attention * f64::from(value[i]) * w_o[i][column])
                                .sum()
                        })
                        .collect();
                    written.iter_mut().zip(&vector).for_each(|(total, v)| *total += v);
                    effects.push((
                        mean_logit(&vector) / f64::from(whole.scale),
                        Head::new(layer, head),
                        src,
                    ));
                }
                let result = &whole.results[layer][head * 32..][..32];
                assert!(
                    result
                        .iter()
                        .zip(&written)
                        .all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5)
                );
            }
        }
        if dest > 0 {
            effects.retain(|(_, _, src)| *src != 0);
        }
        let (effect, head, src) = effects
            .into_iter()
            .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
            .unwrap();
        assert_eq!((found.first.head, found.first.src), (head, src));
        assert!(
            (f64::from(found.first.effect) - effect).abs() < 1e-5,
            "{:?} {effect}",
            found.first
        );
    }
}

/// W_O of a head, `[d_head][d_model]`, one dimension of the stream after the other.
fn w_o(model: &mut Model, layer: usize, head: usize) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0f64; 32]; D_HEAD];
    for of in 0..32 {
        let unit: Vec<f64> = (0..32).map(|i| f64::from(u8::from(i == of))).collect();
        let column = block_on(model.through_w_o(layer, &unit, &NoMonitor)).unwrap();
        for (row, v) in rows.iter_mut().zip(&column[head * D_HEAD..][..D_HEAD]) {
            row[of] = *v;
        }
    }
    rows
}

#[test]
fn the_effect_is_the_same_without_centered_unembedding() {
    let tokens = [5u32, 80, 300, 41, 80, 7, 44];
    let first = |processing| survey(&mut model(processing), &tokens, 6).first;
    let expected = first(Processing::default());
    for processing in [
        Processing {
            center_unembed: false,
            ..Processing::default()
        },
        Processing {
            fold_ln: false,
            center_unembed: false,
            ..Processing::default()
        },
        Processing {
            center_writing_weights: false,
            center_unembed: false,
            ..Processing::default()
        },
    ] {
        let found = first(processing);
        assert_eq!(
            (found.head, found.src, found.next),
            (expected.head, expected.src, expected.next)
        );
        if processing.fold_ln {
            assert!(
                (found.effect - expected.effect).abs() < 1e-5,
                "{found:?} for {expected:?}"
            );
        }
    }
}

#[test]
fn a_survey_of_nothing_is_refused() {
    let mut model = model(Processing::default());
    for (tokens, dest, kind, part) in [
        (
            &[1u32, 2][..],
            2,
            ErrorKind::Request,
            "the destination is position 2 of 2 tokens",
        ),
        (&[], 0, ErrorKind::Prompt, "0 tokens"),
    ] {
        let error = block_on(pair::survey(&mut model, tokens, dest, &NoMonitor)).unwrap_err();
        assert!(error.kind == kind && error.cause.contains(part), "{error}");
    }
}
