//! The draws of prompts and random tokens against the known answers of Python, NumPy and torch, and
//! against all 1200 prompts of the notebook's run. `fixtures/seeding-known-answers.json` and
//! `fixtures/ioi-prompts-30x40.json` were written by those libraries; `fixtures/gpt2-tokenizer.json` is
//! GPT-2's own.

#![allow(clippy::unwrap_used)]

use keyside::ErrorKind;
use keyside::forward::PrefixTree;
use keyside::model::{Config, Tokenizer};
use keyside::prompts::ioi::random::{NumpyRandom, PythonRandom, TorchRandom};
use keyside::prompts::ioi::{Dataset, FLIP_SEED_OFFSET, Prompt, draw_batch, draw_words};
use rand_mt::Mt;
use serde_json::Value;

const D_VOCAB: usize = 50257;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<u64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_u64().unwrap())
        .collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn first_words(mut mt: Mt) -> Vec<u64> {
    (0..5).map(|_| u64::from(mt.next_u32())).collect()
}

fn gpt2_tokenizer() -> Tokenizer {
    let path = format!("{}/tests/fixtures/gpt2-tokenizer.json", env!("CARGO_MANIFEST_DIR"));
    Tokenizer::from_json(&std::fs::read(path).unwrap(), &Config::default()).unwrap()
}

#[test]
fn both_seedings_of_the_mersenne_twister() {
    let known = fixture("seeding-known-answers.json");
    assert_eq!(known["mt"].as_object().unwrap().len(), 4);
    for (seed, answers) in known["mt"].as_object().unwrap() {
        let seed: u32 = seed.parse().unwrap();
        assert_eq!(first_words(Mt::new(seed)), numbers(&answers["init_genrand_first5"]));
        assert_eq!(
            first_words(Mt::new_with_key([seed])),
            numbers(&answers["init_by_array_first5"])
        );
    }
}

#[test]
fn python_shuffle_and_choice() {
    let known = fixture("seeding-known-answers.json");
    let mut python = PythonRandom::new(0);
    let mut order: Vec<u64> = (0..14).collect();
    python.shuffle(&mut order);
    assert_eq!(order, numbers(&known["py_seed0_below"]["shuffle14"]));
    let choices: Vec<u64> = (0..8).map(|_| u64::from(python.below(109))).collect();
    assert_eq!(choices, numbers(&known["py_seed0_below"]["then_choice_of_109"]));
}

/// `random.seed(2**32); random.random()` and `random.seed(2**64 - 1); random.random()` of CPython 3.11.
#[test]
fn python_seeds_of_more_than_32_bits() {
    assert_eq!(PythonRandom::new(1 << 32).uniform(), 0.11299430095636409);
    assert_eq!(PythonRandom::new(u64::MAX).uniform(), 0.021825695401270107);
}

#[test]
fn draws_of_torch_and_numpy() {
    let known = fixture("seeding-known-answers.json");
    let seed = known["F"].as_u64().unwrap();
    assert_eq!(seed, FLIP_SEED_OFFSET);
    let mut torch = TorchRandom::new(seed as u32);
    let tokens: Vec<u64> = (0..8).map(|_| u64::from(torch.below(D_VOCAB as u32))).collect();
    assert_eq!(tokens, numbers(&known["torch_randint_50257_seed1218"]));
    let mut numpy = NumpyRandom::new(seed as u32);
    let indices: Vec<u64> = (0..8).map(|_| u64::from(numpy.choice_index(109))).collect();
    assert_eq!(indices, numbers(&known["numpy_choice_idx_109_seed1218"]));
}

/// Ranges of one element, where masks and shifts are easily wrong.
#[test]
fn draws_from_one_element() {
    assert_eq!(PythonRandom::new(3).below(1), 0);
    assert_eq!(NumpyRandom::new(3).choice_index(1), 0);
    assert_eq!(TorchRandom::new(3).below(1), 0);
    assert_eq!(PythonRandom::new(3).choice::<u8>(&[]), None);
}

#[test]
fn dataset_is_the_notebook_s() {
    let dataset = Dataset::bundled().unwrap();
    let known = fixture("seeding-known-answers.json");
    assert_eq!(dataset.names, texts(&known["NAMES"]));
    assert_eq!(dataset.places, texts(&known["PLACES"]));
    assert_eq!(dataset.objects, texts(&known["OBJECTS"]));
    let mut templates = dataset.baba_templates[..7].to_vec();
    templates.extend_from_slice(&dataset.abba_templates[..7]);
    assert_eq!(templates, texts(&known["templates_order_before_shuffle"]));
}

#[test]
fn all_1200_prompts_of_the_notebook_as_words() {
    let dataset = Dataset::bundled().unwrap();
    let reference = fixture("ioi-prompts-30x40.json");
    let mut compared = 0;
    for batch in reference["batches"].as_array().unwrap() {
        let drawn = draw_words(&dataset, batch["seed"].as_u64().unwrap(), 40, D_VOCAB).unwrap();
        assert_eq!(
            drawn.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(),
            texts(&batch["prompts"])
        );
        assert_eq!(
            drawn.iter().map(|p| p.io.as_str()).collect::<Vec<_>>(),
            texts(&batch["IO"])
        );
        assert_eq!(
            drawn.iter().map(|p| p.s.as_str()).collect::<Vec<_>>(),
            texts(&batch["S"])
        );
        assert_eq!(
            drawn.iter().map(|p| p.random_name.as_str()).collect::<Vec<_>>(),
            texts(&batch["rand_name"])
        );
        assert_eq!(
            drawn.iter().map(|p| u64::from(p.random_token)).collect::<Vec<_>>(),
            numbers(&batch["rand_token"])
        );
        compared += drawn.len();
    }
    assert_eq!(compared, 1200);
}

#[test]
fn all_1200_prompts_of_the_notebook_as_tokens() {
    let tokenizer = gpt2_tokenizer();
    let reference = fixture("ioi-prompts-30x40.json");
    let mut compared = 0;
    for expected in reference["batches"].as_array().unwrap() {
        let batch = draw_batch(&tokenizer, expected["seed"].as_u64().unwrap(), 40, false).unwrap();
        for (i, prompt) in batch.prompts.iter().enumerate() {
            // The reference pads on the right with GPT-2's only special token.
            let mut tokens = numbers(&expected["toks"][i]);
            let padding = tokens.split_off(prompt.tokens.len());
            assert!(padding.iter().all(|&token| token == 50256), "prompt {i} is too short");
            assert_eq!(prompt.tokens.iter().map(|&t| u64::from(t)).collect::<Vec<_>>(), tokens);
            assert_eq!(u64::from(prompt.io_token), expected["io_id"][i]);
            assert_eq!(u64::from(prompt.s_token), expected["s_id"][i]);
            assert_eq!(u64::from(prompt.random_token), expected["rand_token"][i]);
            assert_eq!(u64::from(prompt.random_name_token), expected["rand_name_token"][i]);
            let positions = &expected["pos"];
            assert_eq!(prompt.positions.io as u64, positions["IO"][i]);
            assert_eq!(prompt.positions.s1 as u64, positions["S1"][i]);
            assert_eq!(prompt.positions.s2 as u64, positions["S2"][i]);
            assert_eq!(prompt.positions.end as u64, positions["end"][i]);
            compared += 1;
        }
    }
    assert_eq!(compared, 1200);
}

#[test]
fn bos_moves_every_position_by_one() {
    let tokenizer = gpt2_tokenizer();
    let without = draw_batch(&tokenizer, 5, 20, false).unwrap();
    let with = draw_batch(&tokenizer, 5, 20, true).unwrap();
    assert_eq!((without.prompts.len(), with.prompts.len()), (20, 20));
    for (without, with) in without.prompts.iter().zip(&with.prompts) {
        assert_eq!(with.tokens[0], 50256);
        assert_eq!(with.tokens[1..], without.tokens);
        assert_eq!(with.positions.io, without.positions.io + 1);
        assert_eq!(with.positions.s1, without.positions.s1 + 1);
        assert_eq!(with.positions.s2, without.positions.s2 + 1);
        assert_eq!(with.positions.end, without.positions.end + 1);
    }
}

#[test]
fn batches_that_cannot_be_drawn() {
    let dataset = Dataset::bundled().unwrap();
    let empty = draw_words(&dataset, 0, 0, D_VOCAB).unwrap_err();
    assert_eq!(empty.kind, ErrorKind::Request);
    let last = u64::from(u32::MAX) - FLIP_SEED_OFFSET;
    assert!(draw_words(&dataset, last, 1, D_VOCAB).is_ok());
    for seed in [last + 1, u64::MAX] {
        let error = draw_words(&dataset, seed, 1, D_VOCAB).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.to_string().contains(&seed.to_string()), "{error}");
    }
}

/// GPT-2's tokenizer without the merges that join " Mary" and "Sarah": exactly these names are named.
#[test]
fn names_of_several_tokens_are_listed() {
    let mut json = fixture("gpt2-tokenizer.json");
    let merges = json["model"]["merges"].as_array_mut().unwrap();
    let joined = |merge: &Value| match merge {
        Value::String(pair) => pair.replace(' ', ""),
        pair => texts(pair).concat(),
    };
    merges.retain(|merge| !["ĠMary", "Sarah"].contains(&joined(merge).as_str()));
    let tokenizer = Tokenizer::from_json(&serde_json::to_vec(&json).unwrap(), &Config::default()).unwrap();
    let error = draw_batch(&tokenizer, 0, 1, false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Prompt);
    assert!(error.cause.starts_with("2 names are"), "{error}");
    assert!(
        error.cause.contains("\" Mary\"") && error.cause.contains("\"Sarah\""),
        "{error}"
    );
}

/// Positions that the notebook's run computes: its prompts up to END as one prefix tree, in which batches share what they have.
#[test]
fn the_notebooks_run_computes_16190_positions_of_20162() {
    let tokenizer = gpt2_tokenizer();
    let drawn = (0..30).map(|seed| draw_batch(&tokenizer, seed, 40, false).unwrap().prompts);
    let batches: Vec<Vec<Prompt>> = drawn.collect();
    let up_to_end = |prompt: &'_ Prompt| prompt.tokens[..=prompt.positions.end].to_vec();
    let texts: Vec<Vec<Vec<u32>>> = batches
        .iter()
        .map(|batch| batch.iter().map(up_to_end).collect())
        .collect();
    let tree = |sequences: &mut dyn Iterator<Item = &Vec<u32>>| PrefixTree::new(sequences.map(Vec::as_slice)).len();
    assert_eq!(texts.iter().flatten().map(Vec::len).sum::<usize>(), 20_162);
    assert_eq!(texts.iter().map(|batch| tree(&mut batch.iter())).sum::<usize>(), 18_005);
    assert_eq!(tree(&mut texts.iter().flatten()), 16_190);
}
