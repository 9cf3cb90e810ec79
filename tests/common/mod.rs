//! Small valid and invalid checkpoints for the tests.

#![allow(dead_code, reason = "every test uses a part of it")]

pub mod engines;
#[cfg(feature = "cli")]
pub mod fault_server;
pub mod request;
pub mod server;
pub mod visits;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;

use keyside::checkpoint::MemorySource;
use keyside::model::Checkpoint;
use keyside::{Error, Result};

/// Folder of the tiny checkpoint, from the package's root.
pub const TINY: &str = "tests/fixtures/tiny";

/// The three files of a checkpoint.
pub const FILES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// Name and shape of a tensor.
pub type Shape = (String, Vec<usize>);

/// Dtypes that the tests write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dtype {
    F32,
    F16,
    BF16,
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

/// Opens a checkpoint in memory.
pub fn open(source: MemorySource) -> Result<Checkpoint> {
    block_on(Checkpoint::open(Box::new(source)))
}

/// The error of opening a checkpoint in memory, checked to be one line.
pub fn open_error(source: MemorySource) -> Error {
    let error = open(source).err().expect("is refused");
    assert_one_line(&error.to_string());
    error
}

/// Checks that a message is one line that ends in a full stop.
pub fn assert_one_line(message: &str) {
    assert!(!message.contains('\n') && message.ends_with('.'), "{message:?}");
}

/// The tiny checkpoint in memory.
pub fn tiny() -> MemorySource {
    FILES.iter().fold(MemorySource::new(), |source, file| {
        source.with(*file, std::fs::read(Path::new(TINY).join(file)).expect("fixture"))
    })
}

/// The tiny checkpoint with one text of `config.json` replaced by another.
pub fn config_replaced(from: &str, to: &str) -> MemorySource {
    let config = text(&tiny(), "config.json");
    assert!(config.contains(from), "{from}");
    tiny().with("config.json", config.replacen(from, to, 1))
}

/// A file as text.
pub fn text(source: &MemorySource, file: &str) -> String {
    String::from_utf8(source.get(file).expect("there").to_vec()).expect("UTF-8")
}

/// The JSON header of `model.safetensors`, and the data after it.
pub fn header(source: &MemorySource) -> (serde_json::Value, Vec<u8>) {
    let bytes = source.get("model.safetensors").expect("there");
    let size = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let header = serde_json::from_slice(&bytes[8..8 + size]).expect("JSON");
    (header, bytes[8 + size..].to_vec())
}

/// A safetensors file of a header's text and data.
pub fn safetensors_file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// The tiny checkpoint after `change` to the header of `model.safetensors`.
pub fn header_changed(change: impl FnOnce(&mut serde_json::Value)) -> MemorySource {
    let (mut json, data) = header(&tiny());
    change(&mut json);
    tiny().with("model.safetensors", safetensors_file(&json.to_string(), &data))
}

/// Names (as in the file) and shapes of all tensors but the mask buffers.
pub fn tensors_of(source: &MemorySource) -> Vec<Shape> {
    let (json, _) = header(source);
    let json = json.as_object().expect("object");
    json.iter()
        .filter(|(name, _)| *name != "__metadata__" && !name.ends_with("attn.bias") || name.ends_with("c_attn.bias"))
        .filter(|(name, _)| !name.ends_with("masked_bias"))
        .map(|(name, entry)| {
            (
                name.clone(),
                serde_json::from_value(entry["shape"].clone()).expect("shape"),
            )
        })
        .collect()
}

/// The name that the tensor has in the tiny checkpoint's header.
pub fn named(header: &serde_json::Value, name: &str) -> String {
    let prefixed = format!("transformer.{name}");
    if header.get(&prefixed).is_some() {
        prefixed
    } else {
        name.to_owned()
    }
}

/// Little-endian bytes as f32.
pub fn f32_values(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.as_chunks::<4>().0;
    chunks.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

/// The tiny checkpoint with `change` made of every element: of which tensor, its index in row order, its value.
pub fn tiny_changed(change: impl Fn(&str, usize, f32) -> f32) -> MemorySource {
    let source = tiny();
    let (json, mut data) = header(&source);
    for (name, entry) in json.as_object().expect("object") {
        if name == "__metadata__" || entry["dtype"] != "F32" {
            continue;
        }
        let offsets: [usize; 2] = serde_json::from_value(entry["data_offsets"].clone()).expect("offsets");
        let elements = data[offsets[0]..offsets[1]].as_chunks_mut::<4>().0;
        for (index, element) in elements.iter_mut().enumerate() {
            *element = change(name, index, f32::from_le_bytes(*element)).to_le_bytes();
        }
    }
    source.with("model.safetensors", safetensors_file(&json.to_string(), &data))
}

/// The tiny checkpoint with every tensor renamed and written in `dtype`.
pub fn tiny_with(rename: impl Fn(&str) -> String, dtype: Dtype) -> MemorySource {
    let source = tiny();
    let (json, data) = header(&source);
    let (mut out, mut out_json) = (Vec::new(), BTreeMap::new());
    for (name, entry) in json.as_object().expect("object") {
        if name == "__metadata__" {
            continue;
        }
        let offsets: [usize; 2] = serde_json::from_value(entry["data_offsets"].clone()).expect("offsets");
        let start = out.len();
        for value in f32_values(&data[offsets[0]..offsets[1]]) {
            match dtype {
                Dtype::F32 => out.extend(value.to_le_bytes()),
                Dtype::F16 => out.extend(half::f16::from_f32(value).to_le_bytes()),
                Dtype::BF16 => out.extend(half::bf16::from_f32(value).to_le_bytes()),
            }
        }
        let entry = serde_json::json!({
            "dtype": format!("{dtype:?}"), "shape": entry["shape"], "data_offsets": [start, out.len()],
        });
        out_json.insert(rename(name), entry);
    }
    let header = serde_json::to_string(&out_json).expect("JSON");
    source.with("model.safetensors", safetensors_file(&header, &out))
}
