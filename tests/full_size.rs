//! Checkpoints of GPT-2 small's size, which are too large for the repository. Ignored unless asked for:
//!
//! - `KEYSIDE_FULL_SIZE=DIR`: the synthetic checkpoint, against `fixtures/full-size-golden-10.7.json`;
//! - `KEYSIDE_GPT2=DIR`: the real weights of GPT-2 small, against the notebook's recorded run, the recorded sentences and the recorded
//!   effects of heads. With `KEYSIDE_RECORDING=FILE`, a recording of that model takes the place of the shipped one, with
//!   `KEYSIDE_HEAD_EFFECTS=FILE` one of effects.
//!
//! `cargo test --release --test full_size -- --ignored --nocapture <name of the test>`

#![allow(clippy::unwrap_used)]

mod golden_file;

use futures::executor::block_on;
use golden_file::{Golden, Recorder, analysis};
use golden_file::{recordings, results};
use keyside::analysis::Section;
use keyside::analysis::pair::{Question, QuestionCache, causal_map};
use keyside::checkpoint::FileSource;
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request};
use keyside::model::Processing;
use keyside::names::{Component, Head, HistogramId, Measure};
use keyside::result::{Recording, ResultFile};

/// The checkpoint that `variable` names.
fn open(variable: &str) -> Model {
    let folder = std::env::var(variable).unwrap_or_else(|_| panic!("set {variable} to the checkpoint's folder"));
    let source = FileSource::new(folder);
    block_on(Model::open(Box::new(source), Processing::default())).unwrap()
}

/// Head 10.7, earlier head 9.9, 30 batches of 40 prompts, on the checkpoint that `variable` names.
fn run(variable: &str) -> ResultFile {
    let mut model = open(variable);
    let analysis = analysis("10.7", "9.9", 30, 40);
    let result = block_on(results::run(&mut model, &analysis, &Recorder::default())).unwrap();
    println!("{:#?}", result.timing.as_ref().unwrap());
    let heatmap = results::key(&result);
    println!(
        "sum of contributions {}, mean score {:?}, largest residual {:?}",
        heatmap.sum, heatmap.mean_score, heatmap.max_abs_residual
    );
    result
}

#[test]
#[ignore = "needs the synthetic checkpoint of full size: set KEYSIDE_FULL_SIZE"]
fn synthetic() {
    let result = run("KEYSIDE_FULL_SIZE");
    let mut golden = Golden::read("full-size-golden-10.7.json", 1e-4);
    golden.check_histograms(&result);
    golden.check_heatmap_means(&result);
    for (name, heatmap) in &result.contributions().unwrap().heatmaps {
        let residual = heatmap.max_abs_residual.unwrap();
        println!("{name}: largest |sum of contributions - score| {residual:.2e}");
        assert!(residual <= 1e-4, "{name}");
    }
    golden.finish();
}

#[test]
#[ignore = "needs the weights of GPT-2 small: set KEYSIDE_GPT2"]
fn recorded() {
    let path = format!("{}/public/recorded/gpt2-small-10.7.json", env!("CARGO_MANIFEST_DIR"));
    let recorded = ResultFile::from_json(&std::fs::read(path).unwrap()).unwrap();
    let result = run("KEYSIDE_GPT2");
    let mut golden = Golden::without_file(0.01);
    for name in HistogramId::ALL {
        for (id, expected) in recorded.series(name) {
            let found = results::values(&result, name, id);
            golden.check_values(&format!("{name} {id}"), found, expected);
        }
    }
    assert!(golden.compared >= 20, "{} series", golden.compared);
    golden.finish();

    // The notebook has no column b_O.
    let (found, expected) = (results::key(&result), results::key(&recorded));
    let (rows, found, expected) = (found.rows(), results::means(found), results::means(expected));
    let mut golden = Golden::without_file(0.001);
    for ((row, found), expected) in rows.iter().zip(&found).zip(&expected) {
        golden.check_values(&format!("heatmap row {row}"), &found[..expected.len()], expected);
    }
    assert_eq!(golden.compared, 11);
    golden.finish();
}

#[test]
#[ignore = "needs the weights of GPT-2 small: set KEYSIDE_GPT2"]
fn recorded_sentences() {
    let shipped = || {
        format!(
            "{}/public/recorded/gpt2-small-sentences.json",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let path = std::env::var("KEYSIDE_RECORDING").unwrap_or_else(|_| shipped());
    let recording = Recording::from_json(&std::fs::read(path).unwrap()).unwrap();
    let compared = recordings::check(&mut open("KEYSIDE_GPT2"), &recording, 1e-3);
    println!("{compared} arrays of {} sentences", recording.sentences.len());
}

#[test]
#[ignore = "needs the weights of GPT-2 small: set KEYSIDE_GPT2"]
fn recorded_effects_of_heads() {
    let shipped = || {
        format!(
            "{}/public/recorded/gpt2-small-head-effects.json",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let path = std::env::var("KEYSIDE_HEAD_EFFECTS").unwrap_or_else(|_| shipped());
    let recorded = ResultFile::from_json(&std::fs::read(path).unwrap()).unwrap();
    let section = recorded.head_effects().unwrap();
    let (differ, compared) = recordings::effects_that_differ(&mut open("KEYSIDE_GPT2"), section, 2e-3);
    println!("{compared} numbers of {} prompts", section.prompts.len());
    assert_eq!(differ, [""; 0]);
}

/// FLOP of what a causal map has to recompute: two for each weight that a position goes through.
fn flop(model: &Model, head: Head, (dest, src): (usize, usize)) -> f64 {
    let config = model.config();
    let (d, d_mlp) = (config.d_model as f64, config.d_mlp as f64);
    // Queries, keys and values; what attention writes, and the MLP.
    let (qkv, rest) = (3.0 * d * d, d * d + 2.0 * d * d_mlp);
    let later = config.n_layer - head.layer - 1;
    let of_one = |rows: f64| match later {
        0 => rest,
        // In the head's layer queries, keys and values are known; in the last one the destination alone is read.
        _ => rows * rest + (later - 1) as f64 * rows * (qkv + rest) + rows * qkv * 2.0 / 3.0 + qkv / 3.0 + rest,
    };
    let components = Component::before(head.layer, config.n_head).count() as f64;
    2.0 * components * (of_one(1.0) + of_one((dest - src + 1) as f64))
}

/// FLOP a second of a pass of 510 positions whose weights are in memory.
fn rate(model: &mut Model, tokens: &[u32]) -> f64 {
    let config = model.config().clone();
    let sequences: Vec<Vec<u32>> = (0..34).map(|first| [&[first], &tokens[1..]].concat()).collect();
    let mut best = 0f64;
    for _ in 0..3 {
        let tree = PrefixTree::new(sequences.iter().map(Vec::as_slice));
        let rows = tree.len();
        let mut passes = [Pass::new(tree, Request::default())];
        let began = std::time::Instant::now();
        block_on(model.run(&mut passes, config.n_layer, &NoMonitor)).unwrap();
        let weights = 4 * config.d_model * config.d_model + 2 * config.d_model * config.d_mlp;
        let flop = 2.0 * (rows * config.n_layer * weights) as f64;
        best = best.max(flop / began.elapsed().as_secs_f64());
    }
    best
}

#[test]
#[ignore = "needs the synthetic checkpoint of full size: set KEYSIDE_FULL_SIZE"]
fn a_causal_map_takes_twice_the_time_of_its_flop_at_most() {
    let mut model = open("KEYSIDE_FULL_SIZE");
    let text = "When Mary and John went to the store, John gave a drink to the";
    let tokens = model.tokenizer().encode(text).unwrap();
    assert_eq!(tokens.len(), 15);
    // Not the last layer, in which so little is recomputed that the components themselves take longer.
    for head in [Head::new(10, 7), Head::new(5, 1)] {
        let (dest, src) = (14, 1);
        let question = Question {
            text: text.to_owned(),
            dest: Some(dest),
            src: Some(src),
            head: Some(head),
            ..Question::default()
        };
        let mut known = QuestionCache::default();
        let (mut seconds, mut map) = (f64::INFINITY, None);
        for _ in 0..3 {
            let began = std::time::Instant::now();
            let give = |_: &Model, _: &_, section: Section, _| map = Some(section);
            block_on(causal_map(
                &mut model,
                &mut known,
                &question,
                &Recorder::default(),
                give,
            ))
            .unwrap();
            seconds = seconds.min(began.elapsed().as_secs_f64());
        }
        let Some(Section::Causal(map)) = map else {
            panic!("no map of {head}")
        };
        assert!(map.is_whole());
        let (flop, rate) = (flop(&model, head, (dest, src)), rate(&mut model, &tokens));
        let at_rate = flop / rate;
        println!(
            "{head}: {} components, {:.1} GFLOP at {:.1} GFLOP/s are {at_rate:.2} s; it took {seconds:.2} s, {:.2} times that",
            map.components.len(),
            flop / 1e9,
            rate / 1e9,
            seconds / at_rate
        );
        for measure in Measure::ALL {
            println!("  {measure}: {:?}", map.agreement(measure).correlation);
        }
        assert!(seconds <= 2.0 * at_rate);
    }
}
