//! Every kind of bad checkpoint gives one clear message.

mod common;

use common::{
    assert_one_line, block_on, config_replaced, header, header_changed, named, open_error, safetensors_file, tiny,
};
use keyside::checkpoint::{FileSource, MemorySource};
use keyside::model::Checkpoint;
use keyside::{Error, ErrorKind};
use serde_json::json;

/// Checks that a checkpoint is refused with `kind` and a cause that has all of `parts`.
fn refused(source: MemorySource, kind: ErrorKind, parts: &[&str]) {
    let error = open_error(source);
    println!("{error}");
    assert_eq!(error.kind, kind, "{error}");
    for part in parts {
        assert!(error.cause.contains(part), "{error}\nlacks {part:?}");
    }
}

fn folder_error(folder: &std::path::Path) -> Error {
    let error = block_on(Checkpoint::open(Box::new(FileSource::new(folder))))
        .err()
        .expect("is refused");
    println!("{error}");
    assert_one_line(&error.to_string());
    error
}

#[test]
fn missing_files() {
    for file in common::FILES {
        refused(
            tiny().without(file),
            ErrorKind::Missing,
            &[&format!("there is no {file} in memory")],
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let error = folder_error(folder.path());
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(error.cause.starts_with("there is no config.json in"), "{error}");
    let error = folder_error(&folder.path().join("none"));
    assert!(error.cause.starts_with("there is no folder"), "{error}");
    std::fs::create_dir(folder.path().join("config.json")).expect("a folder");
    assert!(folder_error(folder.path()).cause.contains("is not a file"));
}

#[test]
fn truncated_weights() {
    let bytes = tiny().get("model.safetensors").expect("there").to_vec();
    for length in [bytes.len() - 1, 400_000] {
        let parts = ["model.safetensors is truncated", &format!("it has {length} bytes")];
        refused(
            tiny().with("model.safetensors", &bytes[..length]),
            ErrorKind::Checkpoint,
            &parts,
        );
    }
    for length in [0, 7] {
        let part = format!("model.safetensors is truncated: it ends after {length} bytes");
        refused(
            tiny().with("model.safetensors", &bytes[..length]),
            ErrorKind::Source,
            &[&part],
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    for file in common::FILES {
        std::fs::write(folder.path().join(file), tiny().get(file).expect("there")).expect("writes");
    }
    std::fs::write(folder.path().join("model.safetensors"), &bytes[..400_000]).expect("writes");
    assert!(folder_error(folder.path()).cause.contains("it has 400000 bytes"));
}

#[test]
fn truncated_configuration_and_tokenizer() {
    for (file, kind, part) in [
        ("config.json", ErrorKind::Config, "config.json is not JSON"),
        ("tokenizer.json", ErrorKind::Tokenizer, "tokenizer.json can't be read"),
    ] {
        let bytes = tiny().get(file).expect("there").to_vec();
        refused(tiny().with(file, &bytes[..bytes.len() / 2]), kind, &[part]);
        refused(tiny().with(file, ""), kind, &[part]);
        refused(tiny().with(file, "[]"), kind, &[file]);
    }
    refused(
        tiny().with("config.json", vec![b' '; (1 << 20) + 1]),
        ErrorKind::Source,
        &["config.json is larger than 1048576 bytes"],
    );
}

#[test]
fn a_header_longer_than_the_file() {
    let mut bytes = tiny().get("model.safetensors").expect("there").to_vec();
    let length = bytes.len();
    for size in [length as u64, 1 << 40, u64::MAX] {
        bytes[..8].copy_from_slice(&size.to_le_bytes());
        let part = format!("longer than the file: {size} of {length} bytes");
        refused(
            tiny().with("model.safetensors", &*bytes),
            ErrorKind::Checkpoint,
            &[&part],
        );
    }
    // The largest size that fits the file makes the data part of the header.
    bytes[..8].copy_from_slice(&(length as u64 - 8).to_le_bytes());
    refused(
        tiny().with("model.safetensors", bytes),
        ErrorKind::Checkpoint,
        &["is not JSON"],
    );
}

#[test]
fn a_header_that_is_not_one() {
    let (_, data) = header(&tiny());
    let with = |header: &str| tiny().with("model.safetensors", safetensors_file(header, &data));
    refused(
        with("{"),
        ErrorKind::Checkpoint,
        &["the header of model.safetensors is not JSON"],
    );
    refused(
        with("[1, 2]"),
        ErrorKind::Checkpoint,
        &["the header of model.safetensors is not a JSON object"],
    );
    // An array of length 0.
    refused(
        with(""),
        ErrorKind::Checkpoint,
        &["model.safetensors is not a safetensors file: it begins with zero bytes"],
    );
    refused(
        with(r#"{"a": 3}"#),
        ErrorKind::Checkpoint,
        &["describes tensor \"a\" wrongly"],
    );
    refused(
        with(r#"{"a\nb": {"dtype": 3}}"#),
        ErrorKind::Checkpoint,
        &["describes tensor \"a\\nb\" wrongly"],
    );
    refused(with("{}"), ErrorKind::Checkpoint, &["no tensor wte.weight and 20 more"]);
}

/// The tiny checkpoint with one field of one tensor's entry changed.
fn entry_changed(tensor: &str, field: &str, value: serde_json::Value) -> MemorySource {
    header_changed(|header| {
        let name = named(header, tensor);
        header[name][field] = value;
    })
}

#[test]
fn offsets_that_overlap() {
    let (json, _) = header(&tiny());
    let other = json[named(&json, "h.0.ln_1.weight")]["data_offsets"].clone();
    refused(
        entry_changed("h.0.ln_1.bias", "data_offsets", other),
        ErrorKind::Checkpoint,
        &["h.0.ln_1.bias\"", "h.0.ln_1.weight\"", "overlap"],
    );
}

#[test]
fn offsets_out_of_range() {
    for (offsets, part) in [
        (json!([10_000_000, 10_000_128]), "tensor \"h.0.ln_1.bias\" ends at"),
        (json!([256, 128]), "has the data_offsets [256, 128]"),
        (
            json!([u64::MAX - 127, u64::MAX]),
            "has the data_offsets [18446744073709551488, 18446744073709551615]",
        ),
        (json!([0, u64::MAX]), "has the data_offsets [0, 18446744073709551615]"),
        (json!([-128, 0]), "wrongly"),
        (json!([0]), "wrongly"),
    ] {
        let source = entry_changed("h.0.ln_1.bias", "data_offsets", offsets);
        refused(source, ErrorKind::Checkpoint, &["h.0.ln_1.bias", part]);
    }
}

#[test]
fn sizes_that_do_not_fit_shapes() {
    for (shape, part) in [
        (
            json!([33]),
            "has 128 bytes, which is not the size of [33] values of F32",
        ),
        (json!([u64::MAX, 2]), "has 128 bytes, which is not the size of"),
        (json!([u64::MAX]), "has 128 bytes, which is not the size of"),
    ] {
        refused(
            entry_changed("h.0.ln_1.bias", "shape", shape),
            ErrorKind::Checkpoint,
            &["h.0.ln_1.bias", part],
        );
    }
}

#[test]
fn wrong_shapes() {
    refused(
        entry_changed("h.1.attn.c_attn.weight", "shape", json!([96, 32])),
        ErrorKind::Checkpoint,
        &["tensor h.1.attn.c_attn.weight of model.safetensors has shape [96, 32]"],
    );
    refused(
        entry_changed("ln_f.bias", "shape", json!([1, 32])),
        ErrorKind::Checkpoint,
        &["ln_f.bias", "[1, 32]"],
    );
    // The right file with another model's configuration.
    refused(
        config_replaced("\"n_ctx\": 128", "\"n_ctx\": 128, \"n_inner\": 64"),
        ErrorKind::Checkpoint,
        &["h.0.mlp.c_fc.weight", "has shape [32, 128]"],
    );
}

#[test]
fn unknown_dtypes() {
    refused(
        entry_changed("wpe.weight", "dtype", json!("F31")),
        ErrorKind::Checkpoint,
        &["wpe.weight of model.safetensors has the unknown dtype \"F31\""],
    );
    // One that the format has and weights may not have, of the same size.
    refused(
        entry_changed("wpe.weight", "dtype", json!("I32")),
        ErrorKind::Checkpoint,
        &["tensor wpe.weight of model.safetensors has dtype I32"],
    );
}

#[test]
fn missing_and_doubled_tensors() {
    let source = header_changed(|header| {
        let name = named(header, "h.2.mlp.c_proj.bias");
        header.as_object_mut().expect("object").remove(&name);
    });
    refused(
        source,
        ErrorKind::Checkpoint,
        &["model.safetensors has no tensor h.2.mlp.c_proj.bias"],
    );
    let source = config_replaced("\"n_layer\": 3", "\"n_layer\": 4");
    refused(
        source,
        ErrorKind::Checkpoint,
        &["has no tensor h.3.ln_1.weight and 5 more"],
    );
    let source = header_changed(|header| {
        let plain = named(header, "ln_f.bias");
        let other = if plain.starts_with('t') {
            "ln_f.bias"
        } else {
            "transformer.ln_f.bias"
        };
        header[other] = json!({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]});
    });
    refused(source, ErrorKind::Checkpoint, &["has tensor ln_f.bias twice"]);
}

#[test]
fn configurations_of_other_architectures() {
    for (from, to, part) in [
        ("\"gpt2\"", "\"gpt_neox\"", "a model of type \"gpt_neox\""),
        ("\"gelu_new\"", "\"quick_gelu\"", "activation_function \"quick_gelu\""),
        ("\"n_head\": 4", "\"n_head\": 5", "n_embd 32 and n_head 5"),
        ("\"n_layer\": 3", "\"n_layer\": 0", "n_layer 0"),
        ("\"n_layer\"", "\"layers\"", "no field n_layer"),
        (
            "\"n_layer\"",
            "\"add_cross_attention\": true, \"n_layer\"",
            "add_cross_attention",
        ),
    ] {
        refused(config_replaced(from, to), ErrorKind::Config, &[part]);
    }
    for (card, part) in [
        ("3", "the field keyside of config.json"),
        (
            r#"{"name": "a", "note": "b", "head": "2", "earlier_head": "0.0"}"#,
            "\"2\" is not a head",
        ),
        (
            r#"{"name": "a", "note": "b", "head": "3.0", "earlier_head": "0.0"}"#,
            "head 3.0 does not exist",
        ),
    ] {
        let with_card = format!("\"keyside\": {card}, \"n_layer\"");
        refused(config_replaced("\"n_layer\"", &with_card), ErrorKind::Config, &[part]);
    }
}

#[test]
fn tokenizers_of_other_models() {
    // 988 is a token of its own, which no merge leads to.
    refused(
        config_replaced("\"vocab_size\": 989", "\"vocab_size\": 987"),
        ErrorKind::Tokenizer,
        &["the id 987, but the model's vocabulary has 987 entries"],
    );
    refused(
        config_replaced("\"vocab_size\": 989", "\"vocab_size\": 50257"),
        ErrorKind::Tokenizer,
        &["has 989 tokens, but the model's vocabulary has 50257 entries"],
    );
}
