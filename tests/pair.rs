//! One sentence, one pair of positions: golden numbers, identities of the terms, rejected questions, the command line.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
#[path = "pair/direct.rs"]
mod direct;
#[path = "pair/directions.rs"]
mod directions;
#[path = "pair/down.rs"]
mod down;
mod golden_file;
#[path = "pair/intervene.rs"]
mod intervene;
#[path = "pair/measures.rs"]
mod measures;
#[path = "pair/normalization.rs"]
mod normalization;
#[path = "pair/over_run.rs"]
mod over_run;
#[path = "pair/probes.rs"]
mod probes;
#[path = "pair/random_models.rs"]
mod random_models;
#[path = "pair/substituted.rs"]
mod substituted;

use std::path::Path;
use std::process::{Command, Output};

use common::engines::engines;
use common::{TINY, block_on, tiny};
use golden_file::pairs::Case;
use golden_file::workers::{Elsewhere, Here};
use golden_file::{Golden, fixture};
use keyside::analysis::pair::{self, Pair, ScoreDecomposition, Sentence};
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::{Component, EngineName, Head, Relative};
use rand_mt::Mt;
use serde_json::Value;

const TOLERANCE: f32 = 1e-4;

fn model(processing: Processing) -> Model {
    block_on(Model::open(Box::new(tiny()), processing)).unwrap()
}

fn question(case: &Case) -> Pair {
    Pair {
        tokens: case.tokens.clone(),
        dest: case.dest,
        src: case.src,
        head: case.head,
    }
}

#[test]
fn eight_pairs_give_the_golden_numbers() {
    let mut golden = Golden::without_file(TOLERANCE);
    let mut model = model(Processing::default());
    for case in Case::all(&model, &fixture("pairs-golden.json")) {
        let asked = question(&case);
        let sentence = block_on(Sentence::read(&mut model, &asked.tokens, None, &NoMonitor)).unwrap();
        let attention = pair::attention(&model, &sentence, &asked).unwrap();
        let log_probs = block_on(sentence.log_probs(&model, asked.dest, &NoMonitor)).unwrap();
        let count = asked.tokens.len();
        case.check(&mut golden, "scores_all_heads_at_dest", attention.scores.data());
        case.check(&mut golden, "pattern", attention.of_head.data());
        let to_src: Vec<f32> = attention
            .pattern
            .data()
            .iter()
            .skip(case.src)
            .step_by(count)
            .copied()
            .collect();
        case.check(&mut golden, "pattern_to_src_all_heads", &to_src);
        case.check(&mut golden, "entropy_at_dest_all_heads", attention.entropy.data());
        let top: Vec<f32> = pair::likeliest(&log_probs, 20)
            .into_iter()
            .map(|(_, log_prob)| log_prob)
            .collect();
        case.check(&mut golden, "top_logprobs_at_dest", &top);

        let decomposition = block_on(pair::decomposition(&mut model, &asked, &NoMonitor)).unwrap();
        let (bias, components) = decomposition.components.split_last().unwrap();
        assert_eq!((bias, components), (&Component::QueryBias, &case.components[..]));
        let table = decomposition.table();
        case.check(&mut golden, "table", table.data());
        case.check(&mut golden, "table_key_side", &pair::key_side(&table));
        case.check(&mut golden, "table_query_side", &pair::query_side(&table));
        for (name, to) in [
            ("table_minus_mean", Relative::Mean),
            ("table_minus_attention", Relative::Attention),
            ("table_minus_position", Relative::Position(case.minus)),
        ] {
            case.check(&mut golden, name, decomposition.relative(to).unwrap().data());
        }
        down::check_golden(&mut golden, &mut model, &case, &asked);
        direct::check_golden(&mut golden, &mut model, &case, &asked);
        directions::check_golden(&mut golden, &mut model, &case, &decomposition);
    }
    assert_eq!(golden.compared, 8 * (11 + 7 + 6 + 5));
    golden.finish();
}

fn here(engine: EngineName) -> Here {
    Here { model: tiny(), engine }
}

#[test]
fn the_worker_answers_with_the_golden_numbers() {
    for engine in engines() {
        let mut golden = Golden::without_file(TOLERANCE);
        block_on(golden_file::sentence::check_answers(&mut golden, tiny(), &here(engine)));
        assert_eq!(golden.compared, 8 * golden_file::sentence::SENTENCE_ARRAYS);
        golden.finish();
    }
}

#[test]
fn the_worker_intervenes_with_the_golden_numbers() {
    for engine in engines() {
        let mut golden = Golden::without_file(TOLERANCE);
        block_on(golden_file::sentence::check_interventions(
            &mut golden,
            tiny(),
            &here(engine),
        ));
        assert_eq!(golden.compared, golden_file::sentence::INTERVENTION_ARRAYS);
        golden.finish();
    }
}

#[test]
#[ignore = "asks the worker of a page, at the other end of standard input and output: tests/e2e/golden.mjs"]
fn a_worker_elsewhere_has_the_golden_numbers() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"));
    let worker = Elsewhere {
        url: variable("KEYSIDE_MODEL_URL"),
        engine: variable("KEYSIDE_ENGINE").parse().unwrap(),
    };
    let mut golden = Golden::without_file(TOLERANCE);
    block_on(golden_file::sentence::check_answers(&mut golden, tiny(), &worker));
    block_on(golden_file::sentence::check_interventions(&mut golden, tiny(), &worker));
    assert_eq!(
        golden.compared,
        8 * golden_file::sentence::SENTENCE_ARRAYS + golden_file::sentence::INTERVENTION_ARRAYS
    );
    golden.finish();
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum()
}

fn size(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).abs()).sum()
}

/// Checks what must hold of a decomposition of `asked`: its tables add up.
fn check_sums(decomposition: &ScoreDecomposition, asked: &Pair) {
    let close = |found: f64, expected: f64, terms: &[f32]| {
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-4 + 1e-6 * size(terms),
            "{asked:?}: {found} for {expected}"
        );
    };
    let table = decomposition.table();
    close(sum(table.data()), f64::from(decomposition.score), table.data());
    close(
        sum(&pair::key_side(&table)),
        f64::from(decomposition.score),
        table.data(),
    );
    close(
        sum(&pair::query_side(&table)),
        f64::from(decomposition.score),
        table.data(),
    );
    let mut row = decomposition.scores.clone();
    keyside_softmax(&mut row);
    let mean = sum(&decomposition.scores) / decomposition.scores.len() as f64;
    let relative = decomposition.relative(Relative::Mean).unwrap();
    close(
        sum(relative.data()),
        f64::from(decomposition.score) - mean,
        relative.data(),
    );
    // To the logarithm of the attention and the row's entropy.
    let entropy: f64 = -row
        .iter()
        .map(|&p| f64::from(p))
        .filter(|p| *p > 0.0)
        .map(|p| p * p.ln())
        .sum::<f64>();
    let relative = decomposition.relative(Relative::Attention).unwrap();
    let attention = f64::from(row[asked.src]);
    if attention > 1e-30 {
        close(sum(relative.data()), attention.ln() + entropy, relative.data());
    }
    for position in (0..decomposition.scores.len()).filter(|position| *position != asked.src) {
        let relative = decomposition.relative(Relative::Position(position)).unwrap();
        let expected = f64::from(decomposition.score) - f64::from(decomposition.scores[position]);
        close(sum(relative.data()), expected, relative.data());
        // The key's bias is in every key alike.
        let bias = decomposition.components.len() - 1;
        assert!(relative.data().chunks_exact(bias + 1).all(|row| row[bias] == 0.0));
    }
}

/// Probabilities of scores, in place.
fn keyside_softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    let total: f64 = row.iter().map(|&v| f64::from(v - most).exp()).sum();
    row.iter_mut()
        .for_each(|v| *v = (f64::from(*v - most).exp() / total) as f32);
}

#[test]
fn every_decomposition_adds_up_under_every_processing() {
    let mut random = Mt::new(11);
    let mut below = |end: usize| random.next_u32() as usize % end;
    let mut checked = 0;
    for switches in 0..16 {
        let on = |bit: usize| switches >> bit & 1 == 1;
        let mut model = model(Processing {
            fold_ln: on(0),
            center_writing_weights: on(1),
            center_unembed: on(2),
            fold_value_biases: on(3),
        });
        for _ in 0..4 {
            let tokens: Vec<u32> = (0..1 + below(12)).map(|_| below(600) as u32).collect();
            let dest = below(tokens.len());
            let asked = Pair {
                src: below(dest + 1),
                dest,
                tokens,
                head: Head::new(below(3), below(4)),
            };
            let decomposition = block_on(pair::decomposition(&mut model, &asked, &NoMonitor)).unwrap();
            check_sums(&decomposition, &asked);
            let sentence = block_on(Sentence::read(&mut model, &asked.tokens, None, &NoMonitor)).unwrap();
            let attention = pair::attention(&model, &sentence, &asked).unwrap();
            let row = attention.scores.row(asked.head.layer).unwrap();
            let row = &row[asked.head.head * asked.tokens.len()..][..asked.tokens.len()];
            for (found, expected) in decomposition.scores.iter().zip(row) {
                assert!((found - expected).abs() <= TOLERANCE, "{asked:?}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 64);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut model = model(Processing::default());
    let sound = Pair {
        tokens: vec![1, 2, 3],
        dest: 2,
        src: 0,
        head: Head::new(2, 1),
    };
    for (asked, part) in [
        (
            Pair {
                dest: 3,
                ..sound.clone()
            },
            "the destination is position 3 of 3 tokens",
        ),
        (
            Pair {
                src: 7,
                ..sound.clone()
            },
            "the source is position 7",
        ),
        (
            Pair {
                src: 2,
                dest: 1,
                ..sound.clone()
            },
            "the source 2 is after the destination 1",
        ),
        (
            Pair {
                head: Head::new(3, 0),
                ..sound.clone()
            },
            "head 3.0 does not exist",
        ),
        (
            Pair {
                tokens: vec![1; 1000],
                ..sound.clone()
            },
            "1000",
        ),
        (
            Pair {
                tokens: Vec::new(),
                ..sound.clone()
            },
            "",
        ),
    ] {
        let error = block_on(pair::decomposition(&mut model, &asked, &NoMonitor))
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        let error = match block_on(Sentence::read(&mut model, &asked.tokens, None, &NoMonitor)) {
            Ok(sentence) => pair::attention(&model, &sentence, &asked).unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains(part), "{error}");
    }
    let decomposition = block_on(pair::decomposition(&mut model, &sound, &NoMonitor)).unwrap();
    let error = decomposition.relative(Relative::Position(3)).unwrap_err();
    assert!(error.cause.contains("position 3"), "{error}");
    let itself = decomposition.relative(Relative::Position(0)).unwrap();
    assert!(
        itself.data().iter().all(|v| *v == 0.0),
        "the source relative to itself is nothing"
    );
}

#[test]
fn a_sentence_that_goes_on_is_the_same_as_one_that_begins_anew() {
    let mut model = model(Processing::default());
    let whole = model
        .tokenizer()
        .encode("When Mary and John went to the store, John gave a drink to")
        .unwrap();
    let mut other = whole[..6].to_vec();
    other.extend([7, 8, 9]);
    let mut before = None::<Sentence>;
    // Typed on, typed differently, shortened, another one, the same again.
    for tokens in [
        &whole[..3],
        &whole[..9],
        &whole,
        &other,
        &other[..2],
        &whole[4..],
        &whole[4..],
    ] {
        let expected = block_on(Sentence::read(&mut model, tokens, None, &NoMonitor)).unwrap();
        let found = block_on(Sentence::read(&mut model, tokens, before.as_ref(), &NoMonitor)).unwrap();
        for dest in 0..tokens.len() {
            for head in (0..3).flat_map(|layer| (0..4).map(move |head| Head::new(layer, head))) {
                let (found, expected) = (found.scores(&model, head, dest), expected.scores(&model, head, dest));
                let (found, expected) = (found.unwrap(), expected.unwrap());
                assert_eq!(found.len(), dest + 1);
                assert!(
                    found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-5),
                    "{head} at {dest}"
                );
            }
            let log_probs = |sentence: &Sentence| block_on(sentence.log_probs(&model, dest, &NoMonitor)).unwrap();
            let (found, expected) = (log_probs(&found), log_probs(&expected));
            assert!(
                found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-5),
                "at {dest}"
            );
        }
        before = Some(found);
    }
}

#[test]
fn a_sentence_that_goes_on_computes_only_what_is_new() {
    struct Counts(std::cell::Cell<usize>);
    impl keyside::forward::Monitor for Counts {
        fn waiting(&self) {}
        fn computing(&self) {}
        fn loaded(&self, _: u64, _: &keyside::checkpoint::Traffic) {}
        fn computed(&self, _: usize, _: usize, positions: usize) {
            self.0.set(self.0.get() + positions);
        }
        fn yield_now(&self) -> futures::future::LocalBoxFuture<'_, keyside::Result<()>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let mut model = model(Processing::default());
    let tokens: Vec<u32> = (10..30).collect();
    let mut before = None::<Sentence>;
    for (length, new) in [(12, 12), (13, 1), (20, 7), (20, 1), (5, 1)] {
        let counts = Counts(Default::default());
        let read = Sentence::read(&mut model, &tokens[..length], before.as_ref(), &counts);
        before = Some(block_on(read).unwrap());
        assert_eq!(counts.0.get(), 3 * new, "{length} tokens through three layers");
    }
}

fn keyside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyside"))
        .args(arguments)
        .output()
        .unwrap()
}

const TEXT: &str = "When Mary and John went to the store, John gave a drink to";

#[test]
fn the_command_line_writes_the_arrays_of_the_golden_file() {
    let file = fixture("pairs-golden.json");
    let case = &file[0];
    let asked = [
        "--model",
        TINY,
        "--text",
        TEXT,
        "--head",
        "2.1",
        "--src",
        "1",
        "--minus",
        "-11",
        "--earlier",
        "1.3",
        "--json",
        "-",
    ];
    let mut compared = 0;
    let targets = |command: &str| -> Vec<String> {
        let target = |name: &str| [format!("--{name}"), case["case"][name].to_string()];
        match command {
            "effects" => {
                let second = case["case"]["second"].as_str().unwrap().to_owned();
                [target("a"), target("b"), ["--second".to_owned(), second]].concat()
            }
            _ => Vec::new(),
        }
    };
    for command in ["attention", "pair", "effects", "directions"] {
        let targets = targets(command);
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let output = keyside(&[&[command], &asked[..], &targets].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let written: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in ["tokens", "components", "all_components"] {
            assert_eq!(written[key], case[key], "{key}");
        }
        for (name, array) in written["arrays"].as_object().unwrap() {
            let expected = &case["arrays"][name];
            assert_eq!(array["shape"], expected["shape"], "{name}");
            let (found, expected) = (array["data"].as_array().unwrap(), expected["data"].as_array().unwrap());
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() <= f64::from(TOLERANCE),
                    "{name}"
                );
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 11 + 7 + (6 + 13 + 2) + 5);
}

#[test]
fn the_command_line_tells_of_a_sentence() {
    let told = |arguments: &[&str]| {
        let output = keyside(&[arguments, &["--model", TINY, "--text", TEXT]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let attention = told(&["attention", "--head", "2.1", "--src", "1"]);
    assert!(
        attention.contains("Head 2.1 at \" to\" (position 13) looks to:"),
        "{attention}"
    );
    assert!(attention.contains("\" Mary\"  <- src"), "{attention}");
    let pair = told(&["pair", "--head", "2.1", "--src", "Mary", "--dest", "-1"]);
    assert!(pair.contains("225 cells add up to"), "{pair}");
    assert!(pair.contains("meets") && pair.contains("head 1.3"), "{pair}");
    let earlier = told(&["pair", "--head", "2.1", "--src", "1", "--earlier", "1.3"]);
    for part in [
        "Head 1.3 at \" Mary\", on the key side, adds",
        "Head 1.3 at \" to\", on the query side, adds",
        "What head 1.3 has read at \" Mary\" (position 1) adds",
        "MLP 1 at \" Mary\", on the key side, adds",
        "117 others together",
    ] {
        assert!(earlier.contains(part), "{part}: {earlier}");
    }
    let effects = told(&["effects", "--head", "2.1", "--src", "1", "--a", " Mary", "--b", " John"]);
    for part in [
        "After \" to\" (position 13) the logit of \" Mary\" minus that of \" John\" is",
        "Of these head 2.1 adds by what it has read at:",
        "% to \" Mary\" (position 1)",
        "itself, rank ",
        "Most lowered, and times its attention:",
        "After each layer, the log-probabilities of \" Mary\" and \" John\"",
        "   layer 2",
        "Recomputed to the end",
        "the key made from the W_U row of \" Mary\"",
        "head 2.1 zero here alone",
    ] {
        assert!(effects.contains(part), "{part}: {effects}");
    }
    let directions = told(&["directions", "--head", "2.1", "--src", "1", "--minus", "-11"]);
    let causal = told(&["causal", "--head", "2.1", "--src", "1", "--a", " Mary", "--b", " John"]);
    for part in [
        "Head 2.1 from \" to\" (position 13) to \" Mary\" (position 1): score ",
        "logit of \" Mary\" minus that of \" John\"",
        "the change of score correlates with the linear prediction by 0.",
        "(28 cells)",
        "the change of logit_difference",
        "the key without MLP 1",
    ] {
        assert!(causal.contains(part), "{part}: {causal}");
    }
    for part in [
        "8 directions and three terms with biases add up to",
        "make up 90 %",
        "To the score relative to \" John\" (position 3)",
        "adds to the query side:",
        "Rows of W_U that lie against it on the key side:",
    ] {
        assert!(directions.contains(part), "{part}: {directions}");
    }
    let next = told(&["next"]);
    assert!(next.starts_with("After \" to\" (position 13):\n"), "{next}");
    assert_eq!(next.lines().count(), 21, "{next}");
}

#[test]
fn bad_sentences_are_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pair.json");
    for (arguments, part) in [
        (
            &["--text", "", "--head", "2.1", "--src", "0"][..],
            "the sentence is empty",
        ),
        (
            &["--text", TEXT, "--head", "2.1", "--src", "14"],
            "--src is 14, outside of 14 tokens",
        ),
        (&["--text", TEXT, "--head", "2.1", "--src", "-15"], "--src is -15"),
        (
            &["--text", TEXT, "--head", "2.1", "--src", "John"],
            "--src is \"John\", which stands 2 times in the text, at positions 3 and 9",
        ),
        (
            &["--text", TEXT, "--head", "2.1", "--src", "Joh"],
            "--src is \"Joh\", which does not stand in the text",
        ),
        (
            &["--text", TEXT, "--head", "2.1", "--src", "5", "--dest", "3"],
            "the source 5 is after",
        ),
        (
            &["--text", TEXT, "--head", "9.1", "--src", "0"],
            "head 9.1 does not exist",
        ),
        (
            &["--text", TEXT, "--head", "2.1", "--src", "0", "--earlier", "2.0"],
            "head 2.0 writes nothing that is read in layer 2",
        ),
    ] {
        check_refused("pair", arguments, &out, part);
        if !arguments.contains(&"--earlier") {
            check_refused("effects", arguments, &out, part);
            check_refused("directions", arguments, &out, part);
            check_refused("causal", arguments, &out, part);
        }
    }
    for (a, b, part) in [
        ("300", "300", "token 300 is held against itself"),
        ("989", "1", "there is no token 989 in a vocabulary of 989"),
        (
            " Mary John",
            "1",
            "--a \" Mary John\" is 2 tokens: \" Mary\", \" John\"",
        ),
        ("1", "", "--b \"\" is no token"),
        ("1", "-7", "--b \"-7\" is 2 tokens"),
    ] {
        let arguments = ["--text", TEXT, "--head", "2.1", "--src", "1", "--a", a, "--b", b];
        check_refused("effects", &arguments, &out, part);
        check_refused("causal", &arguments, &out, part);
    }
    // The same token as a text and as an id.
    let mary = model(Processing::default()).tokenizer().single_token(" Mary").unwrap();
    let arguments = [
        "--text",
        TEXT,
        "--head",
        "2.1",
        "--src",
        "1",
        "--a",
        " Mary",
        "--b",
        &mary.to_string(),
    ];
    check_refused("effects", &arguments, &out, "is held against itself");
}

/// Checks that `command` with `arguments` says `part` in one line and writes nothing to `out`.
fn check_refused(command: &str, arguments: &[&str], out: &Path, part: &str) {
    let fixed = [command, "--model", TINY, "--json", out.to_str().unwrap()];
    let output = keyside(&[&fixed[..], arguments].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.lines().count() == 1 && message.contains(part),
        "{command}: {message}"
    );
    assert!(!out.exists(), "a file is left after {part}");
}
