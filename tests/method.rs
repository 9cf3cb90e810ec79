//! The claims of `docs/method.md` about the notebook's methods, checked on the recorded run or on a model.

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use common::{block_on, tiny};
use golden_file::results::{self, Nobody};
use golden_file::{analysis, largest_difference};
use keyside::analysis::head_attention;
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::{Component, Head, HeatmapId, HistogramId, SeriesId, Side};
use keyside::result::ResultFile;

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../public/recorded/gpt2-small-10.7.json")).unwrap()
}

fn model() -> Model {
    block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap()
}

#[test]
fn no_patching_is_the_score_with_another_scale() {
    let (mut model, head) = (model(), Head::new(2, 1));
    let asked = analysis("2.1", "1.3", 1, 20);
    let result = block_on(results::run(&mut model, &asked, &Nobody)).unwrap();
    let weights = block_on(model.head_weights(head, &NoMonitor)).unwrap();
    let d = model.config().d_model as f32;
    let mut largest = 0f32;
    for (index, prompt) in result.prompts.iter().enumerate() {
        let attention = block_on(head_attention(&mut model, &prompt.tokens, head, &NoMonitor)).unwrap();
        let at = |rows: &[f32], position: usize| rows[position * weights.d_head()..][..weights.d_head()].to_vec();
        let (_, of_b_q) = weights.map_with_key(&at(&attention.keys, prompt.src().unwrap()));
        let (_, of_b_k) = weights.map_with_query(&at(&attention.queries, prompt.dest().unwrap()));
        let score = results::true_score(&result)[index];
        for (histogram, bias) in [
            (HistogramId::KeysFixedScores, of_b_q),
            (HistogramId::QueriesFixedScores, of_b_k),
        ] {
            let found = results::values(&result, histogram, &SeriesId::NoPatching)[index];
            // The stream has no mean, which maps ignore anyway, and eps is small beside its variance: n - 1 in place of n is left.
            let expected = bias + (score - bias) * ((d - 1.0) / d).sqrt();
            assert!(
                (found - expected).abs() < 2e-3,
                "{histogram}: {found} is not {expected}"
            );
            largest = largest.max((found - score).abs());
        }
    }
    assert!((0.01..0.2).contains(&largest), "{largest}");
}

#[test]
fn what_the_notebook_calls_w_e_is_a_row_of_w_u() {
    let (mut model, head) = (model(), Head::new(2, 1));
    let asked = analysis("2.1", "1.3", 1, 10);
    let result = block_on(results::run(&mut model, &asked, &Nobody)).unwrap();
    let weights = block_on(model.head_weights(head, &NoMonitor)).unwrap();
    let tokens = result.prompts.iter().map(|prompt| prompt.src_token().unwrap());
    block_on(model.load_embedding(&tokens.collect(), &NoMonitor)).unwrap();
    let (mut of_w_u, mut of_w_e) = (Vec::new(), Vec::new());
    for prompt in &result.prompts {
        let attention = block_on(head_attention(&mut model, &prompt.tokens, head, &NoMonitor)).unwrap();
        let token = prompt.src_token().unwrap();
        let query = &attention.queries[prompt.dest().unwrap() * weights.d_head()..][..weights.d_head()];
        let (map, bias) = weights.map_with_query(query);
        let score = |vector: Vec<f32>| {
            let numbers = || vector.iter().map(|&v| f64::from(v));
            let mean = numbers().sum::<f64>() / vector.len() as f64;
            let variance = numbers().map(|v| (v - mean).powi(2)).sum::<f64>() / (vector.len() - 1) as f64;
            let along: f64 = numbers().zip(&map).map(|(v, &m)| v * f64::from(m)).sum();
            (along / variance.sqrt() + f64::from(bias)) as f32
        };
        of_w_u.push(score(model.w_u(token).unwrap()));
        of_w_e.push(score(model.w_e(token).unwrap()));
    }
    let series = |id| results::values(&result, HistogramId::QueriesFixedScores, id);
    assert!(largest_difference(series(&SeriesId::WeIo), &of_w_u) < 1e-4);
    assert!(largest_difference(series(&SeriesId::WeIoTrue), &of_w_e) < 1e-4);
    assert!(largest_difference(&of_w_u, &of_w_e) > 0.1);
}

#[test]
fn facets_are_told_apart_by_the_bias() {
    let result = recorded();
    // Where the components of a side are split, its bias belongs to the perpendicular part.
    for (side, bias, parallel) in [
        (Side::Query, Component::QueryBias, "q par"),
        (Side::Key, Component::KeyBias, "k par"),
    ] {
        let mut seen = [0, 0];
        for (q, k) in [("par", "par"), ("par", "perp"), ("perp", "par"), ("perp", "perp")] {
            let facet = format!("q {q} k {k}");
            let heatmap = results::heatmap(&result, &HeatmapId::from(format!("{side}_split/{facet}")));
            let place = heatmap.components.iter().position(|other| *other == bias).unwrap();
            let is_parallel = facet.contains(parallel);
            assert_eq!(heatmap.mean.data()[place] == 0.0, is_parallel, "{side} {facet}");
            seen[usize::from(is_parallel)] += 1;
        }
        assert_eq!(seen, [2, 2]);
    }
}
