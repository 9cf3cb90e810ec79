//! Every common file format of GPT-2 models is read from a folder, over HTTP, from memory and from storage; an
//! unsupported one is named in the error, with advice. The formats are those of public reports about other software;
//! the files are made from the tiny checkpoint.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
mod results;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use common::server::{Manner, Server};
use common::{block_on, header_changed, named, open_error, safetensors_file, tiny};
use keyside::analysis::{Analysis, Section};
use keyside::checkpoint::{
    BlockingTransport, FileSource, HttpSource, MemorySource, MemoryStore, RetryPolicy, Source, Store, StoredSource,
};
use keyside::error::{Error, ErrorKind, Result};
use keyside::forward::Model;
use keyside::model::{Checkpoint, Processing};
use keyside::prompts::IoiSet;
use serde_json::{Value, json};

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const ONE: &str = "model-00001-of-00002.safetensors";
const TWO: &str = "model-00002-of-00002.safetensors";

/// The result of a run of ten prompts for head 2.1.
fn run(source: Box<dyn Source>) -> Result<Vec<Section>> {
    let analysis = Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts: IoiSet {
            seed: 0,
            batches: 1,
            batch_size: 10,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    };
    let mut model = block_on(Model::open(source, Processing::default()))?;
    Ok(block_on(results::run(&mut model, &analysis, &results::Nobody))?.sections)
}

fn folder_of(files: &MemorySource) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in block_on(files.listing()).unwrap() {
        std::fs::write(folder.path().join(&name), files.get(&name).unwrap()).unwrap();
    }
    folder
}

fn over_http(url: &str) -> Box<dyn Source> {
    let retry_policy = RetryPolicy {
        waits: vec![Duration::from_millis(1)],
        ..RetryPolicy::default()
    };
    let transport = Box::new(BlockingTransport::new(retry_policy.stall_timeout));
    Box::new(HttpSource::new(url, transport).unwrap().with_retry_policy(retry_policy))
}

fn stored(url: &str, store: &MemoryStore) -> Box<dyn Source> {
    let store: Rc<dyn Store> = Rc::new(store.clone());
    Box::new(StoredSource::new(over_http(url), store))
}

/// The numbers of `files` are those of the tiny checkpoint, by every way in; and from storage alone.
fn reads_as_tiny(what: &str, files: &MemorySource) {
    let expected = run(Box::new(tiny())).unwrap();
    let check = |way: &str, source: Box<dyn Source>| {
        let found = run(source).unwrap_or_else(|error| panic!("{what}, {way}: {error}"));
        assert_eq!(found, expected, "{what}, {way}");
    };
    check("memory", Box::new(files.clone()));
    let folder = folder_of(files);
    check("folder", Box::new(FileSource::new(folder.path())));
    for manner in [Manner::Ranges, Manner::Whole] {
        let server = Server::start(files.clone(), manner);
        check("http", over_http(&server.url()));
        let store = MemoryStore::new();
        check("kept", stored(&server.url(), &store));
        let url = server.url();
        drop(server);
        check("from storage alone", stored(&url, &store));
    }
}

/// The error of `files`, which must be the same by every way in but for the place that it names.
fn refused(files: &MemorySource) -> Error {
    let error = open_error(files.clone());
    let folder = folder_of(files);
    let server = Server::start(files.clone(), Manner::Ranges);
    let store = MemoryStore::new();
    for (place, source) in [
        (
            folder.path().display().to_string(),
            Box::new(FileSource::new(folder.path())) as Box<dyn Source>,
        ),
        (server.url(), over_http(&server.url())),
        (server.url(), stored(&server.url(), &store)),
    ] {
        let other = block_on(Checkpoint::open(source)).err().expect("is refused");
        assert_eq!(
            (other.kind, other.cause.replace(&place, "memory")),
            (error.kind, error.cause.clone())
        );
    }
    println!("{error}");
    error
}

/// The tiny checkpoint's weights in two files, those of the first being what `first` says, and the index.
fn shards(first: impl Fn(&str) -> bool) -> MemorySource {
    let (json, data) = common::header(&tiny());
    let mut files = [(json!({}), Vec::new()), (json!({}), Vec::new())];
    let mut map = json!({});
    for (name, entry) in json
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "__metadata__")
    {
        let at = |index: usize| entry["data_offsets"][index].as_u64().unwrap() as usize;
        let number = usize::from(!first(name));
        let (header, bytes) = &mut files[number];
        let start = bytes.len();
        bytes.extend(&data[at(0)..at(1)]);
        header[name] = json!({"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [start, bytes.len()]});
        map[name] = json!([ONE, TWO][number]);
    }
    let file = |(header, bytes): &(Value, Vec<u8>)| safetensors_file(&header.to_string(), bytes);
    tiny()
        .without(WEIGHTS)
        .with(ONE, file(&files[0]))
        .with(TWO, file(&files[1]))
        .with(
            INDEX,
            json!({"metadata": {"total_size": 1}, "weight_map": map}).to_string(),
        )
}

/// Blocks apart from the rest, as the library writes them.
fn by_block() -> MemorySource {
    shards(|name| name.contains("h.0.") || name.contains("h.1."))
}

fn index_changed(files: MemorySource, change: impl FnOnce(&mut Value)) -> MemorySource {
    let mut index: Value = serde_json::from_slice(files.get(INDEX).unwrap()).unwrap();
    change(&mut index["weight_map"]);
    files.with(INDEX, index.to_string())
}

#[test]
fn weights_in_several_files_are_one_model() {
    reads_as_tiny("blocks apart", &by_block());
    // Tensors that are read together lie in both files.
    reads_as_tiny("weights and biases apart", &shards(|name| name.ends_with("weight")));
    let renamed = index_changed(by_block(), |map| {
        for file in map.as_object_mut().unwrap().values_mut().filter(|file| *file == ONE) {
            *file = json!("Model_A.safetensors");
        }
    });
    let bytes = renamed.get(ONE).unwrap().to_vec();
    reads_as_tiny(
        "a name with capitals",
        &renamed.without(ONE).with("Model_A.safetensors", bytes),
    );
}

#[test]
fn an_interrupted_download_of_several_files_goes_on() {
    let files = by_block();
    let server = Server::start(files.clone(), Manner::Ranges);
    let store = MemoryStore::new();
    let opened = block_on(Checkpoint::open(stored(&server.url(), &store))).unwrap();
    block_on(opened.weights().tensor("h.0.attn.c_attn.weight", &[32, 96])).unwrap();
    drop(opened);
    let before = server.requests().len();
    assert_eq!(
        run(stored(&server.url(), &store)).unwrap(),
        run(Box::new(tiny())).unwrap()
    );
    let again = server.requests().split_off(before);
    // Stored pieces are compared by samples and by the header; one piece of the first weight file was missing.
    let is_piece = |request: &&String| {
        let (from, to) = request
            .rsplit_once("bytes=")
            .and_then(|(_, range)| range.split_once('-'))
            .unwrap_or_default();
        let (from, to): (u64, u64) = (from.parse().unwrap_or(0), to.parse().unwrap_or(0));
        request.contains(ONE) && from > 8 && to + 1 - from > 1024
    };
    assert_eq!(again.iter().filter(is_piece).count(), 1, "{again:?}");
    assert!(again.iter().any(|request| request.contains(TWO)), "{again:?}");
}

#[test]
fn one_file_of_another_version_is_noticed() {
    let store = MemoryStore::new();
    let server = Server::start(by_block(), Manner::Ranges);
    let url = server.url();
    let opened = block_on(Checkpoint::open(stored(&url, &store))).unwrap();
    block_on(opened.weights().tensor("h.0.attn.c_attn.weight", &[32, 96])).unwrap();
    drop((opened, server));
    // The same address with other weights of the first file: its last bits, as after a little training.
    let files = by_block();
    let mut bytes = files.get(ONE).unwrap().to_vec();
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[start..].iter_mut().step_by(4).for_each(|byte| *byte ^= 1);
    let address: std::net::SocketAddr = url
        .trim_start_matches("http://")
        .trim_end_matches("/model")
        .parse()
        .unwrap();
    let server = Server::start_at(address, files.with(ONE, bytes), Manner::Ranges);
    let error = run(stored(&server.url(), &store)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed, "{error}");
    assert!(error.cause.contains(ONE), "{error}");
}

#[test]
fn an_index_and_its_files_belong_together() {
    let error = refused(&by_block().without(TWO));
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(error.cause.contains(TWO) && error.advice.contains(INDEX), "{error}");

    let lacking = index_changed(by_block(), |map| map["h.0.ln_1.weight"] = json!(TWO));
    let (json, _) = common::header(&tiny());
    let tensor = named(&json, "h.0.ln_1.weight");
    let lacking = if tensor.starts_with('t') {
        index_changed(by_block(), |map| map[&tensor] = json!(TWO))
    } else {
        lacking
    };
    let error = refused(&lacking);
    assert!(
        error.cause.contains(&format!("is in {TWO}, which does not have it")),
        "{error}"
    );

    let both = by_block();
    let bytes = both.get(ONE).unwrap().to_vec();
    let both = index_changed(both.with("other.safetensors", bytes), |map| {
        map["h.0.attn.extra"] = json!("other.safetensors");
    });
    let error = refused(&both);
    assert!(error.cause.contains("other.safetensors"), "{error}");

    for name in [
        "../model.safetensors",
        "/model.safetensors",
        "https://example.org/model.safetensors",
        "a/b.safetensors",
    ] {
        let error = refused(&index_changed(by_block(), |map| map["wte.weight"] = json!(name)));
        assert!(error.cause.contains(&format!("names the file {name:?}")), "{error}");
    }
    let error = refused(&by_block().with(INDEX, "<html>"));
    assert!(error.cause.contains("is not JSON: it is a web page"), "{error}");
    // Where the server can list files.
    assert!(
        open_error(by_block().without(INDEX))
            .cause
            .contains(&format!("but no {INDEX}"))
    );
}

#[test]
fn a_tensor_in_two_files_is_an_error() {
    let files = by_block();
    let (json, data) = common::header(&tiny());
    let name = named(&json, "h.0.ln_1.weight");
    let at = |index: usize| json[&name]["data_offsets"][index].as_u64().unwrap() as usize;
    let header = json!({ &name: {"dtype": "F32", "shape": [32], "data_offsets": [0, 128]} }).to_string();
    let extra = safetensors_file(&header, &data[at(0)..at(1)]);
    let files = index_changed(files.with("extra.safetensors", extra), |map| {
        map["extra"] = json!("extra.safetensors")
    });
    // The index may name what is in no file only where nothing needs it.
    let files = index_changed(files, |map| {
        map.as_object_mut().unwrap().remove("extra");
        map["h.0.attn.bias"] = json!("extra.safetensors");
    });
    let error = refused(&files);
    assert!(error.cause.starts_with("tensor h.0.ln_1.weight is both in"), "{error}");
}

/// `vocab.json` and `merges.txt` of the tiny checkpoint, lines ended by `end`, the last one too where `last`.
fn parts(end: &str, last: bool) -> MemorySource {
    let file: Value = serde_json::from_slice(tiny().get("tokenizer.json").unwrap()).unwrap();
    let merges = file["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|merge| merge.as_str().unwrap());
    let mut text = std::iter::once("#version: 0.2")
        .chain(merges)
        .collect::<Vec<_>>()
        .join(end);
    if last {
        text.push_str(end);
    }
    tiny()
        .without("tokenizer.json")
        .with("vocab.json", file["model"]["vocab"].to_string())
        .with("merges.txt", text)
}

#[test]
fn the_older_files_of_a_tokenizer_give_the_same_tokens() {
    reads_as_tiny("vocab.json and merges.txt", &parts("\n", true));
    for (end, last) in [("\r\n", true), ("\n", false), ("\r\n", false)] {
        assert_eq!(
            run(Box::new(parts(end, last))).unwrap(),
            run(Box::new(tiny())).unwrap(),
            "{end:?} {last}"
        );
    }
    let opened = common::open(parts("\n", true)).unwrap();
    assert_eq!(
        opened.tokenizer().encode("a<|endoftext|>"),
        common::open(tiny()).unwrap().tokenizer().encode("a<|endoftext|>")
    );
    assert_eq!(opened.tokenizer().bos_token(), Ok(988));
    let added = parts("\n", true).with("added_tokens.json", r#"{"[PAD]": 989}"#);
    reads_as_tiny("an added token", &added);
    let error = common::open(added).unwrap().tokenizer().encode("a[PAD]").unwrap_err();
    assert!(error.cause.contains("[PAD]") && error.cause.contains("989"), "{error}");
}

#[test]
fn merges_may_begin_with_a_number_sign() {
    let mut file: Value = serde_json::from_slice(tiny().get("tokenizer.json").unwrap()).unwrap();
    let vocab = file["model"]["vocab"].as_object_mut().unwrap();
    // In place of a token that other merges do not need.
    let spare = vocab.iter().find(|(_, id)| **id == json!(987)).unwrap().0.clone();
    vocab.remove(&spare);
    vocab.insert("##".to_owned(), json!(987));
    let merges: Vec<String> = file["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|merge| merge.as_str().unwrap().to_owned())
        .collect();
    let merges = merges.into_iter().filter(|merge| merge.replace(' ', "") != spare);
    let merges: Vec<String> = std::iter::once("# #".to_owned()).chain(merges).collect();
    for first in ["#version: 0.2\n", ""] {
        let files = tiny()
            .without("tokenizer.json")
            .with("vocab.json", file["model"]["vocab"].to_string())
            .with("merges.txt", format!("{first}{}", merges.join("\n")));
        assert_eq!(
            common::open(files).unwrap().tokenizer().encode("##"),
            Ok(vec![987]),
            "{first:?}"
        );
    }
}

#[test]
fn broken_parts_of_a_tokenizer_are_named() {
    for (files, part) in [
        (
            parts("\n", true).with("merges.txt", "#version: 0.2\na b c"),
            "line 2 of merges.txt is \"a b c\"",
        ),
        (
            parts("\n", true).with("merges.txt", "#version: 0.2\n#version: 0.2"),
            "merges.txt merges \"#version:\" and \"0.2\"",
        ),
        (parts("\n", true).with("vocab.json", "[]"), "vocab.json can't be read"),
        (
            parts("\n", true).with("merges.txt", b"\xff\xfe#\0".to_vec()),
            "merges.txt is not a text file: it is text in UTF-16",
        ),
        (
            parts("\n", true).with("merges.txt", "\u{feff}#version: 0.2\n"),
            "byte order mark",
        ),
        (parts("\n", true).without("vocab.json"), "there is no vocab.json"),
        (parts("\n", true).without("merges.txt"), "there is no tokenizer.json"),
    ] {
        let error = refused(&files);
        assert!(error.cause.contains(part), "{error}");
    }
    assert!(
        refused(&tiny().without("tokenizer.json"))
            .expected
            .contains("vocab.json and merges.txt")
    );
}

fn tokenizer_changed(change: impl FnOnce(&mut Value)) -> MemorySource {
    let mut file: Value = serde_json::from_slice(tiny().get("tokenizer.json").unwrap()).unwrap();
    change(&mut file);
    tiny().with("tokenizer.json", file.to_string())
}

fn added(id: u32, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
}

#[test]
fn tokenizers_that_mean_the_same_load() {
    let pad = tokenizer_changed(|file| file["added_tokens"].as_array_mut().unwrap().push(added(989, "[PAD]")));
    reads_as_tiny("a token beyond the vocabulary", &pad);
    let opened = common::open(pad).unwrap();
    let error = opened.tokenizer().encode("a [PAD]").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Prompt);
    assert!(error.cause.contains("[PAD]") && error.cause.contains("989"), "{error}");
    assert_eq!(
        opened
            .tokenizer()
            .encode_as_text("[PAD]")
            .map(|tokens| tokens.len() > 1),
        Ok(true)
    );

    // The ids are those of the file, in whatever order.
    let far = tokenizer_changed(|file| file["added_tokens"] = json!([added(5000, "<x>"), added(988, "<|endoftext|>")]));
    let error = common::open(far).unwrap().tokenizer().encode("<x>").unwrap_err();
    assert!(error.cause.contains("5000"), "{error}");

    let unknown = tokenizer_changed(|file| {
        file["model"]["unk_token"] = json!("<unk>");
        file["added_tokens"]
            .as_array_mut()
            .unwrap()
            .insert(0, added(989, "<unk>"));
    });
    reads_as_tiny("an unk_token that is added", &unknown);
    reads_as_tiny(
        "an empty normalizer",
        &tokenizer_changed(|file| file["normalizer"] = json!({"type": "Sequence", "normalizers": []})),
    );
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let split = |pattern: &str| json!({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}, bytes]});
    let gpt2 = split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");
    reads_as_tiny(
        "GPT-2's pattern, spelt out",
        &tokenizer_changed(|file| file["pre_tokenizer"] = gpt2),
    );
    let error = refused(&tokenizer_changed(|file| file["pre_tokenizer"] = split(r"\p{L}+|\s+")));
    assert!(error.cause.contains("another pattern than GPT-2's"), "{error}");

    let bos = common::config_replaced("\"vocab_size\"", "\"bos_token_id\": 989, \"vocab_size\"");
    assert_eq!(common::open(bos).unwrap().config().bos_token_id, Some(988));
}

#[test]
fn tensors_that_are_not_read_may_be_of_any_dtype() {
    let with_extra = header_changed(|header| {
        header["h.0.attn.extra"] = json!({"dtype": "U4", "shape": [8], "data_offsets": [492_288, 492_292]});
    });
    let mut bytes = with_extra.get(WEIGHTS).unwrap().to_vec();
    bytes.extend([0; 4]);
    reads_as_tiny("a dtype of the future", &with_extra.with(WEIGHTS, bytes));
}

#[test]
fn quantized_weights_are_called_so() {
    let (json, _) = common::header(&tiny());
    let name = named(&json, "h.0.attn.c_attn.weight");
    let int8 = header_changed(|header| {
        let start = header[&name]["data_offsets"][0].as_u64().unwrap();
        header[&name] = json!({"dtype": "I8", "shape": [32, 96], "data_offsets": [start, start + 32 * 96]});
    });
    let four_bits = header_changed(|header| {
        let start = header[&name]["data_offsets"][0].as_u64().unwrap();
        header[&name] = json!({"dtype": "U8", "shape": [1536, 1], "data_offsets": [start, start + 1536]});
    });
    let gptq = header_changed(|header| {
        let entry = header.as_object_mut().unwrap().remove(&name).unwrap();
        header[name.replace(".weight", ".qweight")] = entry;
    });
    for files in [int8, four_bits, gptq] {
        let error = refused(&files);
        assert!(error.cause.contains("quantized weights are not read"), "{error}");
        assert!(error.advice.contains("original"), "{error}");
    }
}

#[test]
fn other_formats_and_contents_are_named() {
    let torch = tiny().without(WEIGHTS).with("pytorch_model.bin", "PK\u{3}\u{4}");
    let error = refused(&torch);
    assert!(
        error
            .cause
            .contains("but pytorch_model.bin: weights in PyTorch's format"),
        "{error}"
    );
    assert!(error.advice.contains("save_pretrained"), "{error}");
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 497774208\n";
    for file in [WEIGHTS, "config.json", "tokenizer.json"] {
        let error = refused(&tiny().with(file, lfs));
        assert!(
            error.cause.contains("git-lfs pointer") && error.advice.contains("git lfs pull"),
            "{error}"
        );
    }
    for file in ["config.json", "tokenizer.json"] {
        let bytes = tiny().get(file).unwrap().to_vec();
        let utf_16: Vec<u8> = common::text(&tiny(), file)
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (bytes, part) in [
            ([b"\xef\xbb\xbf", &bytes[..]].concat(), "byte order mark"),
            ([b"\xff\xfe", &utf_16[..]].concat(), "UTF-16"),
            (utf_16, "UTF-16"),
            ([&bytes[..], &[0; 30]].concat(), "ends in 30 zero bytes"),
            (vec![0; 4096], "nothing but zero bytes"),
        ] {
            let error = refused(&tiny().with(file, bytes));
            assert!(error.cause.contains(part) && !error.advice.is_empty(), "{error}");
        }
    }
    let error = refused(&tiny().with(WEIGHTS, vec![0; 100_000]));
    assert!(error.cause.contains("begins with zero bytes"), "{error}");
    let (json, data) = common::header(&tiny());
    let error = refused(&tiny().with(WEIGHTS, safetensors_file(&format!("{json}\0\0\0"), &data)));
    assert!(error.cause.contains("ends in 3 zero bytes"), "{error}");
}

#[test]
fn a_folder_is_named_where_a_file_is_given() {
    let folder = folder_of(&tiny());
    let open = |path: &Path| {
        block_on(Checkpoint::open(Box::new(FileSource::new(path))))
            .err()
            .unwrap()
    };
    let error = open(&folder.path().join(WEIGHTS));
    assert!(error.cause.ends_with("model.safetensors is a file"), "{error}");
    assert!(error.advice.contains(&folder.path().display().to_string()), "{error}");
    let gguf = MemorySource::new().with("gpt2.Q8_0.gguf", "GGUF");
    let error = open_error(gguf);
    assert!(error.cause.contains("but gpt2.Q8_0.gguf"), "{error}");
}
