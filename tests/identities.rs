//! Properties of any model and any prompts: sums, processing, prefix tree, batches of blocks, reuse, cancellation, BOS.

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::collections::BTreeMap;

use common::{block_on, tiny};
use golden_file::results::{self, true_score, values};
use golden_file::{Recorder, analysis, largest_difference};
use keyside::ErrorKind;
use keyside::analysis::{Analysis, Contributions, analyze, contributions};
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request};
use keyside::model::Processing;
use keyside::names::{
    Column, Facet, Head, HeatmapId, HeatmapParts, HeatmapVariant, HistogramId, PositionName, SeriesId, Side,
};
use keyside::prompts::ioi::draw_batch;
use keyside::prompts::{IoiSet, Prompt};
use keyside::result::ResultFile;

/// IOI prompts as prompts like any others.
fn general(prompts: &[keyside::prompts::ioi::Prompt]) -> Vec<keyside::prompts::Prompt> {
    prompts.iter().cloned().map(Into::into).collect()
}

const TOLERANCE: f32 = 1e-4;

fn model(processing: Processing) -> Model {
    block_on(Model::open(Box::new(tiny()), processing)).unwrap()
}

fn run(model: &mut Model, analysis: &Analysis) -> ResultFile {
    block_on(results::run(model, analysis, &Recorder::default())).unwrap()
}

fn all_processings() -> impl Iterator<Item = Processing> {
    (0..16).map(|bits| Processing {
        fold_ln: bits & 1 != 0,
        center_writing_weights: bits & 2 != 0,
        center_unembed: bits & 4 != 0,
        fold_value_biases: bits & 8 != 0,
    })
}

/// Everything but the timing.
fn without_timing(mut result: ResultFile) -> ResultFile {
    result.timing = None;
    result
}

#[test]
fn contributions_add_up_to_the_score_under_every_processing() {
    for processing in all_processings() {
        let mut model = model(processing);
        let prompts = draw_batch(model.tokenizer(), 5, 12, false).unwrap().prompts;
        let mut largest = 0f32;
        for layer in 0..3 {
            for head in 0..4 {
                let head = Head::new(layer, head);
                let found = block_on(contributions(&mut model, &general(&prompts), head, &NoMonitor)).unwrap();
                // Seven whole ones and four times four facets; before layer 1 there is no MLP to split along.
                assert_eq!(found.len(), if layer > 0 { 7 + 16 } else { 6 });
                for (name, found) in &found {
                    assert_eq!(found.rows.len(), 1 + layer);
                    assert_eq!(
                        found.columns,
                        ["L.0", "L.1", "L.2", "L.3", "MLP", "b_O"].map(Column::from)
                    );
                    assert!(
                        found.true_score.iter().any(|score| score.abs() > 0.001),
                        "{name}: scores are not all zero"
                    );
                    let residual = found.max_abs_residual();
                    assert!(residual <= TOLERANCE, "{processing:?} {head} {name}: {residual:e}");
                    largest = largest.max(residual);
                }
                assert!(
                    found[&HeatmapId::KEY].true_score.iter().any(|score| score.abs() > 0.1),
                    "scores are not all zero"
                );
            }
        }
        println!("{processing:?}: largest |sum of contributions - score| {largest:.2e}");
    }
}

#[test]
fn what_is_no_number_does_not_add_up() {
    let mut model = model(Processing::default());
    let prompts = draw_batch(model.tokenizer(), 5, 3, false).unwrap().prompts;
    let found = block_on(contributions(
        &mut model,
        &general(&prompts),
        Head::new(1, 0),
        &NoMonitor,
    ))
    .unwrap();
    let key = &found[&HeatmapId::KEY];
    assert!(key.max_abs_residual() <= TOLERANCE);
    for prompt in 0..3 {
        let mut broken = key.clone();
        broken.true_score[prompt] = f32::NAN;
        assert!(broken.max_abs_residual().is_nan(), "prompt {prompt}");
        let mut broken = key.clone();
        broken.values[prompt] = f32::NAN;
        assert!(broken.max_abs_residual().is_nan(), "cell {prompt}");
    }
}

#[test]
fn facets_add_up_to_the_score_of_no_patching() {
    let mut model = model(Processing::default());
    let prompts = draw_batch(model.tokenizer(), 0, 12, false).unwrap().prompts;
    let found = block_on(contributions(
        &mut model,
        &general(&prompts),
        Head::new(2, 2),
        &NoMonitor,
    ))
    .unwrap();
    let result = run(&mut model, &analysis("2.2", "1.3", 1, 12));
    let series = |histogram| values(&result, histogram, &SeriesId::NoPatching);
    let (keys_fixed, queries_fixed) = (
        series(HistogramId::KeysFixedScores),
        series(HistogramId::QueriesFixedScores),
    );
    // Split into components is one end; the other one is scaled by its standard deviation.
    for (side, scores) in [(Side::Key, keys_fixed), (Side::Query, queries_fixed)] {
        let (cells, sums) = total_of_facets(&found, HeatmapParts::of(side));
        let difference = largest_difference(&sums, scores);
        println!("{side}: four facets against No patching {difference:.2e}");
        assert!(difference <= TOLERANCE);
        let (cells_minus_s1, sums_minus_s1) = total_of_facets(
            &found,
            HeatmapParts {
                minus_s1: true,
                ..HeatmapParts::of(side)
            },
        );
        assert!(largest_difference(&cells, &cells_minus_s1) > 0.1);
        for (prompt, cells) in cells_minus_s1.chunks_exact(cells.len() / 12).enumerate() {
            assert!((cells.iter().sum::<f32>() - sums_minus_s1[prompt]).abs() <= TOLERANCE);
        }
    }
    for (key, query) in [("key", "query"), ("key_subS1", "query_subS1")] {
        let (key, query) = (&HeatmapId::from(key), &HeatmapId::from(query));
        assert!(largest_difference(&found[key].true_score, &found[query].true_score) <= TOLERANCE);
        assert!(largest_difference(&found[key].values, &found[query].values) > 0.1);
    }
}

/// Cells and scores of the four facets of `parts`, added up.
fn total_of_facets(found: &BTreeMap<HeatmapId, Contributions>, parts: HeatmapParts) -> (Vec<f32>, Vec<f32>) {
    let facets = Facet::ALL.map(|facet| {
        let variant = HeatmapVariant::Facet(facet);
        &found[&HeatmapId::from(HeatmapParts { variant, ..parts })]
    });
    assert!(
        facets
            .iter()
            .all(|facet| facet.true_score.iter().any(|score| score.abs() > 0.01))
    );
    let total = |field: fn(&Contributions) -> &Vec<f32>| -> Vec<f32> {
        let index = 0..field(facets[0]).len();
        index
            .map(|index| facets.iter().map(|facet| field(facet)[index]).sum())
            .collect()
    };
    (total(|facet| &facet.values), total(|facet| &facet.true_score))
}

#[test]
fn every_heatmap_is_the_same_under_every_processing_of_its_reading_side() {
    // W_U, MLP 0 and the maps are centered or not: what is read through LayerNorm does not change.
    let tables = |center_writing_weights: bool| {
        let mut model = model(Processing {
            center_writing_weights,
            fold_value_biases: false,
            ..Processing::default()
        });
        let prompts = draw_batch(model.tokenizer(), 3, 12, false).unwrap().prompts;
        block_on(contributions(
            &mut model,
            &general(&prompts),
            Head::new(2, 2),
            &NoMonitor,
        ))
        .unwrap()
    };
    let (centered, plain) = (tables(true), tables(false));
    assert_eq!((centered.len(), plain.len()), (7 + 16, 7 + 16));
    for (name, centered) in &centered {
        let difference = largest_difference(&centered.values, &plain[name].values);
        println!("{name}: {difference:.2e}");
        assert!(difference <= TOLERANCE, "{name}");
    }
}

#[test]
fn processing_leaves_log_probabilities_and_scores_alone() {
    let none = Processing {
        fold_ln: false,
        center_writing_weights: false,
        center_unembed: false,
        fold_value_biases: false,
    };
    let mut plain = model(none);
    let prompts = draw_batch(plain.tokenizer(), 1, 8, false).unwrap().prompts;
    let sequences: Vec<&[u32]> = prompts
        .iter()
        .map(|prompt| &prompt.tokens[..=prompt.positions.end])
        .collect();
    let expected = block_on(plain.log_probs(&sequences, &NoMonitor)).unwrap().concat();
    let head = Head::new(2, 1);
    let scores = block_on(contributions(&mut plain, &general(&prompts), head, &NoMonitor)).unwrap()[&HeatmapId::KEY]
        .true_score
        .clone();
    for processing in all_processings() {
        let mut model = model(processing);
        let found = block_on(model.log_probs(&sequences, &NoMonitor)).unwrap().concat();
        let difference = largest_difference(&found, &expected);
        let by_row = largest_difference(&by_unembedding_rows(&mut model, &sequences), &expected);
        let found = block_on(contributions(&mut model, &general(&prompts), head, &NoMonitor)).unwrap();
        let score = largest_difference(&found[&HeatmapId::KEY].true_score, &scores);
        println!("{processing:?}: log-probabilities {difference:.2e}, by rows of W_U {by_row:.2e}, scores {score:.2e}");
        assert!(difference <= TOLERANCE && by_row <= TOLERANCE && score <= TOLERANCE);
    }
}

/// The same log-probabilities from processed rows of W_U and b_U, in f64.
fn by_unembedding_rows(model: &mut Model, sequences: &[&[u32]]) -> Vec<f32> {
    let config = model.config().clone();
    let processing = model.processing();
    let checkpoint = block_on(keyside::model::Checkpoint::open(Box::new(tiny()))).unwrap();
    let ln_f = |name: &str| -> Vec<f32> {
        block_on(checkpoint.weights().tensor(&format!("ln_f.{name}"), &[config.d_model]))
            .unwrap()
            .to_vec1()
            .unwrap()
    };
    let (weight, bias) = (ln_f("weight"), ln_f("bias"));
    let mut log_probs = Vec::new();
    for tokens in sequences {
        let resid = block_on(model.resid_pre(tokens, config.n_layer, &NoMonitor)).unwrap();
        let last: Vec<f64> = resid[resid.len() - config.d_model..]
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        let variance = last.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / last.len() as f64;
        let mut x: Vec<f64> = last
            .iter()
            .map(|v| (v - mean) / (variance + config.layer_norm_epsilon).sqrt())
            .collect();
        if !processing.fold_ln {
            for ((x, w), b) in x.iter_mut().zip(&weight).zip(&bias) {
                *x = *x * f64::from(*w) + f64::from(*b);
            }
        }
        let all = (0..config.d_vocab as u32).collect();
        block_on(model.load_embedding(&all, &NoMonitor)).unwrap();
        let logit = |token: u32| {
            let row = model.w_u(token).unwrap();
            x.iter().zip(row).map(|(x, w)| x * f64::from(w)).sum::<f64>() + f64::from(model.b_u(token).unwrap())
        };
        let logits: Vec<f64> = (0..config.d_vocab as u32).map(logit).collect();
        let log_sum = logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
        log_probs.extend(logits.iter().map(|logit| (logit - log_sum) as f32));
    }
    log_probs
}

#[test]
fn shared_prefixes_change_nothing() {
    let mut model = model(Processing::default());
    let prompts = draw_batch(model.tokenizer(), 2, 100, false).unwrap().prompts;
    let tree = PrefixTree::new(prompts.iter().map(|prompt| &prompt.tokens[..]));
    let all: usize = prompts.iter().map(|prompt| prompt.tokens.len()).sum();
    println!("{} of {all} positions are computed", tree.len());
    assert!(tree.len() < all, "some prefixes are shared");
    assert!(
        tree.len() > keyside::forward::CHUNK,
        "the rows take more than one chunk"
    );
    let mut passes = [Pass::new(tree, Request::default())];
    block_on(model.run(&mut passes, 3, &NoMonitor)).unwrap();
    let mut largest = 0f32;
    for (index, prompt) in prompts.iter().enumerate() {
        let alone = block_on(model.resid_pre(&prompt.tokens, 3, &NoMonitor)).unwrap();
        let path = passes[0].tree.path(index);
        let shared: Vec<f32> = path.iter().flat_map(|&row| passes[0].resid_at(row)).copied().collect();
        largest = largest.max(largest_difference(&shared, &alone));
    }
    println!("largest difference {largest:.2e}");
    assert!(largest <= TOLERANCE);
}

#[test]
fn batches_together_equal_batches_one_by_one() {
    let analysis = analysis("2.1", "1.3", 4, 10);
    let mut kept = model(Processing::default());
    assert!(kept.keeps_blocks(3));
    let recorder = Recorder::default();
    let one_by_one = block_on(results::run(&mut kept, &analysis, &recorder)).unwrap();
    let first_batch = recorder.batches.borrow()[0].1.true_score.clone();
    assert_eq!(first_batch, true_score(&one_by_one)[..10]);

    let mut dropped = model(Processing::default());
    for _ in 0..2 {
        dropped.set_block_budget(0);
        assert!(!dropped.keeps_blocks(1));
        let together = run(&mut dropped, &analysis);
        assert!(
            together.timing.as_ref().unwrap().bytes_read > 0,
            "dropped blocks are read again"
        );
        assert_eq!(without_timing(together), without_timing(one_by_one.clone()));
    }
}

#[test]
fn blocks_come_and_go_and_every_pass_goes_through_all_of_them() {
    let mut kept = model(Processing::default());
    let batches: Vec<_> = (0..4)
        .map(|seed| draw_batch(kept.tokenizer(), seed, 5, false).unwrap().prompts)
        .collect();
    let passes = || -> Vec<Pass> {
        let trees = batches
            .iter()
            .map(|prompts| PrefixTree::new(prompts.iter().map(|prompt| &prompt.tokens[..])));
        trees.map(|tree| Pass::new(tree, Request::default())).collect()
    };
    let mut expected = passes();
    block_on(kept.run(&mut expected, 3, &NoMonitor)).unwrap();
    // Three blocks, of which two fit; and once more, which begins with the blocks that were left.
    let mut dropped = model(Processing::default());
    dropped.set_block_budget(0);
    for round in 0..3 {
        let mut found = passes();
        let read = dropped.bytes_to_read(&found, 3, None);
        assert!(round == 0 || read > 0, "a block has gone");
        block_on(dropped.run(&mut found, 3, &NoMonitor)).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.resid, expected.resid);
        }
    }
}

#[test]
fn a_second_run_equals_the_first_and_reads_nothing() {
    let analysis = analysis("2.3", "1.0", 2, 10);
    let mut model = model(Processing::default());
    let first = run(&mut model, &analysis);
    let second = run(&mut model, &analysis);
    assert!(first.timing.as_ref().unwrap().bytes_read > 0);
    assert_eq!(second.timing.as_ref().unwrap().bytes_read, 0);
    assert_eq!(without_timing(first.clone()), without_timing(second));

    let other = Analysis {
        processing: Processing {
            fold_ln: false,
            ..Processing::default()
        },
        ..analysis.clone()
    };
    let other = run(&mut model, &other);
    assert!(largest_difference(true_score(&other), true_score(&first)) <= TOLERANCE);
    assert_eq!(without_timing(run(&mut model, &analysis)), without_timing(first));
}

#[test]
fn progress_is_true() {
    let mut model = model(Processing::default());
    let recorder = Recorder::default();
    let analysis = analysis("2.1", "1.3", 3, 10);
    let result = block_on(results::run(&mut model, &analysis, &recorder)).unwrap();
    let told = recorder.progress.take();
    let last = told.last().unwrap();
    let timing = result.timing.as_ref().unwrap();
    assert_eq!((last.batches_done, last.batches, last.layers), (3, 3, 2));
    assert_eq!((last.bytes_read, last.positions_done), (last.bytes, timing.positions));
    assert_eq!(last.seconds_left, Some(0.0));
    assert!(told.is_sorted_by_key(|progress| (progress.bytes_read, progress.batches_done)));
    assert!(
        told.iter()
            .all(|progress| progress.bytes_read <= progress.bytes || progress.bytes == 0)
    );
    assert_eq!(
        recorder
            .batches
            .borrow()
            .iter()
            .map(|(index, _)| *index)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    // Prefixes that several batches share are computed once.
    let drawn = (0..3).map(|seed| draw_batch(model.tokenizer(), seed, 10, false).unwrap().prompts);
    let prompts: Vec<_> = drawn.flatten().collect();
    let positions = PrefixTree::new(prompts.iter().map(|p| &p.tokens[..=p.positions.end])).len();
    assert_eq!(timing.positions, positions);
    assert_eq!(result.prompts.len(), 30);
    assert_eq!(
        values(&result, HistogramId::QueriesFixedScores, &SeriesId::WeIoTrue).len(),
        30
    );
}

#[test]
fn a_cancelled_run_stops_and_the_next_one_works() {
    let analysis = analysis("2.1", "1.3", 2, 10);
    let mut fresh = model(Processing::default());
    let recorder = Recorder::default();
    let expected = without_timing(block_on(results::run(&mut fresh, &analysis, &recorder)).unwrap());
    for cancel_at in 1..=recorder.yields.get() {
        let mut model = model(Processing::default());
        let recorder = Recorder {
            cancel_at: Some(cancel_at),
            ..Recorder::default()
        };
        let error = block_on(analyze(&mut model, &analysis, &recorder)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Cancelled);
        assert_eq!(recorder.yields.get(), cancel_at, "nothing happens after the cancel");
        assert_eq!(without_timing(run(&mut model, &analysis)), expected);
    }
    println!("cancelled at each of {} yields", recorder.yields.get());
}

#[test]
fn a_run_with_bos() {
    let mut model = model(Processing::default());
    let plain = analysis("2.1", "1.3", 2, 10);
    let with_bos = Analysis {
        prompts: IoiSet {
            seed: 0,
            batches: 2,
            batch_size: 10,
            prepend_bos: true,
        }
        .into(),
        ..plain.clone()
    };
    let (without, with) = (run(&mut model, &plain), run(&mut model, &with_bos));
    assert_eq!((without.prompts.len(), with.prompts.len()), (20, 20));
    for (plain, bos) in without.prompts.iter().zip(&with.prompts) {
        assert_eq!(bos.tokens[0], model.config().bos_token_id.unwrap());
        assert_eq!(bos.tokens[1..], plain.tokens);
        let io = |prompt: &Prompt| prompt.position(&PositionName::Src).unwrap();
        assert_eq!(io(bos), io(plain) + 1);
    }
    let heatmaps = &with.contributions().unwrap().heatmaps;
    let residuals = heatmaps.values().map(|heatmap| heatmap.max_abs_residual.unwrap());
    assert!(residuals.fold(0.0, f32::max) <= TOLERANCE);
    assert!(largest_difference(true_score(&with), true_score(&without)) > 0.01);
    // The substituted unembedding is the same vector; only the other side has changed.
    assert_eq!(
        with.series(HistogramId::KeysFixedScores).len(),
        without.series(HistogramId::KeysFixedScores).len()
    );
}

const SMALL: IoiSet = IoiSet {
    seed: 0,
    batches: 1,
    batch_size: 2,
    prepend_bos: false,
};

#[test]
fn settings_that_make_no_sense_are_refused() {
    let mut model = model(Processing::default());
    let good = analysis("2.1", "1.3", 1, 2);
    let cases = [
        (
            Analysis {
                prompts: IoiSet { batches: 0, ..SMALL }.into(),
                ..good.clone()
            },
            "number of batches is 0",
        ),
        (
            Analysis {
                prompts: IoiSet { batch_size: 0, ..SMALL }.into(),
                ..good.clone()
            },
            "batch size is 0",
        ),
        (
            Analysis {
                prompts: IoiSet {
                    batch_size: 100_000,
                    ..SMALL
                }
                .into(),
                ..good.clone()
            },
            "batch size is 100000",
        ),
        (
            Analysis {
                head: Head::new(3, 0),
                ..good.clone()
            },
            "head 3.0 does not exist",
        ),
        (
            Analysis {
                earlier_head: Head::new(1, 4),
                ..good.clone()
            },
            "head 1.4 does not exist",
        ),
        (
            Analysis {
                earlier_head: Head::new(2, 0),
                ..good.clone()
            },
            "earlier head 2.0 is not in a layer before",
        ),
        (
            Analysis {
                head: Head::new(0, 1),
                ..good.clone()
            },
            "head 0.1 has no earlier layer",
        ),
        (
            Analysis {
                prompts: IoiSet {
                    seed: u64::MAX,
                    ..SMALL
                }
                .into(),
                ..good.clone()
            },
            "seed",
        ),
    ];
    for (analysis, expected) in cases {
        let error = block_on(analyze(&mut model, &analysis, &Recorder::default())).unwrap_err();
        println!("{error}");
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.cause.contains(expected), "{error}");
        assert!(!error.expected.is_empty() || !error.advice.is_empty());
    }
    assert_eq!(run(&mut model, &good).prompts.len(), 2);
}
