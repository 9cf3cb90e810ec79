//! Sampling: the same seed draws the same tokens, and every token is drawn from the model's distribution.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::process::{Command, Output};

use common::{TINY, block_on, tiny};
use golden_file::continuation::{CONTINUATION, SAMPLING, TEXT};
use keyside::checkpoint::FileSource;
use keyside::forward::{Model, NoMonitor, Sampling, continue_with};
use keyside::model::Processing;
use serde_json::Value;

const BUNDLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/models/tiny-ioi");

fn bundled() -> Model {
    let source = Box::new(FileSource::new(BUNDLED));
    block_on(Model::open(source, Processing::default())).unwrap()
}

fn model() -> Model {
    block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap()
}

fn continued(model: &mut Model, tokens: &[u32], count: usize, sampling: &Sampling) -> Vec<u32> {
    block_on(continue_with(model, tokens, count, sampling, &NoMonitor)).unwrap()
}

#[test]
fn the_same_seed_draws_the_same_tokens() {
    let mut model = bundled();
    let tokens = model.tokenizer().encode(TEXT).unwrap();
    let found = continued(&mut model, &tokens, 50, &SAMPLING);
    assert_eq!(found, CONTINUATION, "{:?}", model.tokenizer().text(&found));
    assert_eq!(continued(&mut model, &tokens, 50, &SAMPLING), found);
    assert_eq!(continued(&mut model, &tokens, 7, &SAMPLING), found[..7]);
    let other = Sampling { seed: 8, ..SAMPLING };
    assert_ne!(continued(&mut model, &tokens, 50, &other), found);
}

/// Token by token, each with the whole sentence computed again: logits of the most likely, and which were allowed.
#[test]
fn every_token_is_one_that_the_model_expects() {
    let mut model = model();
    let start = [5u32, 80, 300, 41];
    let greedy = Sampling {
        temperature: 0.0,
        ..Sampling::default()
    };
    let few = Sampling {
        temperature: 1.3,
        top_k: Some(3),
        ..Sampling::default()
    };
    let nucleus = Sampling {
        top_p: Some(0.4),
        ..Sampling::default()
    };
    for (sampling, most) in [(greedy, 1), (few, 3), (nucleus, usize::MAX)] {
        let found = continued(&mut model, &start, 20, &sampling);
        assert_eq!(found.len(), 20);
        let mut seen = start.to_vec();
        let mut ranks = Vec::new();
        for token in found {
            let log_probs = block_on(model.log_probs(&[&seen], &NoMonitor)).unwrap().remove(0);
            let likelier = log_probs.iter().filter(|other| **other > log_probs[token as usize]);
            let (rank, mass) = likelier.fold((0, 0.0), |(rank, mass), log_prob| (rank + 1, mass + log_prob.exp()));
            assert!(rank < most, "{sampling:?}: {rank}");
            assert!(f64::from(mass) < sampling.top_p.unwrap_or(1.0), "{sampling:?}: {mass}");
            ranks.push(rank);
            seen.push(token);
        }
        assert!(
            most == 1 || ranks.iter().any(|rank| *rank > 0),
            "{sampling:?}: {ranks:?}"
        );
    }
}

#[test]
fn a_continuation_ends_with_the_context() {
    let mut model = model();
    let context = model.config().n_ctx;
    let sampling = Sampling::default();
    let tokens = vec![7u32; context - 3];
    assert_eq!(continued(&mut model, &tokens, 10, &sampling).len(), 3);
    assert!(continued(&mut model, &vec![7u32; context], 10, &sampling).is_empty());
    assert!(continued(&mut model, &[7], 0, &sampling).is_empty());
    let too_long = vec![7u32; context + 1];
    for tokens in [&[][..], &too_long] {
        let error = block_on(continue_with(&mut model, tokens, 1, &sampling, &NoMonitor)).unwrap_err();
        assert_eq!(error.kind, keyside::ErrorKind::Prompt);
    }
}

fn next(arguments: &[&str]) -> Output {
    let fixed = ["next", "--model", TINY, "--text", TEXT];
    Command::new(env!("CARGO_BIN_EXE_keyside"))
        .args([&fixed[..], arguments].concat())
        .output()
        .unwrap()
}

#[test]
fn the_command_line_goes_on() {
    let sampled = [
        "--count",
        "12",
        "--temperature",
        "0.8",
        "--top-k",
        "50",
        "--top-p",
        "0.9",
        "--seed",
        "3",
    ];
    let output = next(&[&sampled[..], &["--json", "-"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut model = model();
    let tokens = model.tokenizer().encode(TEXT).unwrap();
    let sampling = Sampling {
        temperature: 0.8,
        top_k: Some(50),
        top_p: Some(0.9),
        seed: 3,
    };
    let expected = continued(&mut model, &tokens, 12, &sampling);
    let text = model.tokenizer().text(&expected);
    assert_eq!(written["tokens"], serde_json::json!(tokens));
    assert_eq!(written["continuation"], serde_json::json!(expected));
    assert_eq!(written["text"], text);
    let output = String::from_utf8(next(&sampled).stdout).unwrap();
    assert_eq!(output, format!("After \" to\" (position 13):\n{text:?}\n"));
    let output = String::from_utf8(next(&["--count", "500", "--temperature", "0"]).stdout).unwrap();
    assert!(
        output.ends_with("114 tokens instead of 500: the model's context ends there.\n"),
        "{output}"
    );

    for (arguments, status, part) in [
        (&["--count", "3", "--temperature", "-1"][..], 1, "the temperature is -1"),
        (&["--count", "3", "--top-k", "0"], 1, "0 tokens to draw from"),
        (&["--count", "3", "--top-p", "2"], 1, "top-p is 2"),
        (&["--seed", "3"], 2, "--count"),
    ] {
        let output = next(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(status) && message.contains(part),
            "{message}"
        );
    }
}
