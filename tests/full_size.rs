//! Checkpoints of GPT-2 small's size, which are too large for the repository. Ignored unless asked for:
//!
//! - `KEYSIDE_FULL_SIZE=DIR`: the synthetic checkpoint, against `fixtures/full-size-golden-10.7.json`;
//! - `KEYSIDE_GPT2=DIR`: the real weights of GPT-2 small, against the notebook's recorded run and the recorded sentences. With
//!   `KEYSIDE_RECORDING=FILE`, a recording of that model takes the place of the shipped one.
//!
//! `cargo test --release --test full_size -- --ignored --nocapture <name of the test>`

#![allow(clippy::unwrap_used)]

mod golden_file;

use futures::executor::block_on;
use golden_file::{Golden, Recorder, analysis};
use golden_file::{recordings, results};
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::HistogramId;
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
