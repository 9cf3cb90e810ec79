//! Regression tests for the findings of fuzzing.

use keyside::app::words;
use keyside::model::{Config, Tokenizer};
use keyside::prompts::PromptSet;
use keyside::result::ResultFile;
use keyside::{Error, ErrorKind};
use serde_json::{Value, json};

fn tokenizer_error(change: impl FnOnce(&mut Value)) -> Error {
    let config = json!({"model_type": "gpt2", "n_layer": 1, "n_head": 1, "n_embd": 2, "vocab_size": 8, "n_ctx": 4});
    let config = Config::from_json(config.to_string().as_bytes()).expect("valid");
    let mut file = json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    });
    let read = |file: &Value| Tokenizer::from_json(file.to_string().as_bytes(), &config);
    assert_eq!(read(&file).expect("reads").encode("ab"), Ok(vec![2]));
    change(&mut file);
    let error = read(&file).err().expect("is refused");
    assert_eq!(error.kind, ErrorKind::Tokenizer);
    error
}

/// The library panicked: it copied the merged token into a buffer of the longest token's size.
#[test]
fn merges_into_no_token() {
    let error = tokenizer_error(|file| file["model"]["merges"] = json!([["b", "ab"]]));
    assert!(error.cause.contains("lacks \"bab\""), "{error}");
    let error = tokenizer_error(|file| file["model"]["merges"] = json!(["a b a"]));
    assert!(error.cause.contains("the merge \"a b a\""), "{error}");
}

/// The library subtracted the prefix's length from that of a shorter token.
#[test]
fn a_subword_prefix_longer_than_a_token() {
    let error = tokenizer_error(|file| file["model"]["continuing_subword_prefix"] = json!("##"));
    assert!(error.cause.contains("continuing_subword_prefix"), "{error}");
}

/// Other kinds of tokenizers were read, and gave tokens that a GPT-2 model was not trained with.
#[test]
fn tokenizers_that_are_not_byte_level_bpe() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 6] = [
        (
            |file| file["model"]["type"] = json!("WordPiece"),
            "a model of type \"WordPiece\"",
        ),
        (|file| file["model"]["dropout"] = json!(0.5), "dropout"),
        (
            |file| file["model"]["end_of_word_suffix"] = json!("</w>"),
            "end_of_word_suffix",
        ),
        (|file| file["model"]["unk_token"] = json!("x"), "the unk_token \"x\""),
        (
            |file| file["normalizer"] = json!({"type": "NFC"}),
            "a normalizer (\"NFC\")",
        ),
        (
            |file| file["pre_tokenizer"]["type"] = json!("Whitespace"),
            "the pre_tokenizer \"Whitespace\"",
        ),
    ];
    for (change, part) in cases {
        let error = tokenizer_error(change);
        assert!(error.cause.contains(part), "{error}");
    }
}

/// The seed of the last batch overflowed when the settings were put into words.
#[test]
fn a_result_whose_seeds_overflow() {
    let bytes = include_bytes!("../public/recorded/gpt2-small-10.7.json");
    let mut result = ResultFile::from_json(bytes).expect("reads");
    let Some(PromptSet::Ioi(set)) = &mut result.prompt_set else {
        panic!("drawn prompts")
    };
    set.seed = u64::MAX;
    let error = result.check().expect_err("is refused");
    assert_eq!(error.kind, ErrorKind::ResultFile);
    assert!(error.cause.contains("too large for 30 batches"), "{error}");
    assert!(words::settings(&result).contains("18446744073709551615"));
}

/// Messages quote what was read, whatever is in it.
#[test]
fn messages_are_one_line_of_bounded_length() {
    let format = format!("a\nb\u{1b}{}", "\u{e9}".repeat(100_000));
    let error = ResultFile::from_json(json!({ "format": format }).to_string().as_bytes()).expect_err("is refused");
    let message = error.to_string();
    assert!(message.contains("\"a b \u{e9}"), "{message}");
    assert!(!message.contains(char::is_control) && message.len() < 2000, "{message}");
}

/// Numbers were read inexactly, so that a result changed when it was written again.
#[test]
fn a_result_file_brings_every_number_back() {
    let bytes = include_bytes!("../public/recorded/gpt2-small-10.7.json");
    let mut result = ResultFile::from_json(bytes).expect("reads");
    for epsilon in [1e-25, 1.7976931348623157e308, 9.999999999999999e-26, 0.1 + 0.2] {
        result.config.layer_norm_epsilon = epsilon;
        let json = result.to_json().expect("writes");
        let again = ResultFile::from_json(json.as_bytes()).expect("reads again");
        assert_eq!(
            again.config.layer_norm_epsilon.to_bits(),
            epsilon.to_bits(),
            "{epsilon:e}"
        );
    }
}
