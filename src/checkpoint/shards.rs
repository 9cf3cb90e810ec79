//! Sharded weights: the index that maps tensors to files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::header::is_weights;
use crate::error::{Error, ErrorKind, Result};

/// File name of the index.
pub const INDEX: &str = "model.safetensors.index.json";

/// Limit of the number of weights files.
const MAX_FILES: usize = 1 << 10;
/// Limit of the length of a file name, in bytes.
const LONGEST_NAME: usize = 200;

/// The file of each tensor, under the tensor's name in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename = "index")]
struct RawIndex {
    weight_map: WeightMap,
}

/// A JSON object in which no key is repeated.
struct WeightMap(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Entries).map(Self)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with the file of each tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut files = BTreeMap::new();
        while let Some((tensor, file)) = map.next_entry::<String, String>()? {
            if let Some(before) = files
                .insert(tensor.clone(), file.clone())
                .filter(|before| *before != file)
            {
                return Err(A::Error::custom(format!(
                    "tensor {tensor:?} is said to be in {before:?} and in {file:?}"
                )));
            }
        }
        Ok(files)
    }
}

impl Index {
    /// Parses `model.safetensors.index.json`. The files that it names must be in the same folder.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let raw: RawIndex = serde_json::from_slice(bytes).map_err(|cause| {
            error(format!("{INDEX} can't be read ({cause})"))
                .expected("an object weight_map with the file of each tensor")
        })?;
        let WeightMap(files) = raw.weight_map;
        if files.is_empty() {
            return Err(error(format!("{INDEX} names no tensor")).expected("a weight_map with the file of each tensor"));
        }
        let names: BTreeSet<&String> = files.values().collect();
        if names.len() > MAX_FILES {
            return Err(error(format!("{INDEX} names {} files", names.len())).expected(format!("at most {MAX_FILES}")));
        }
        names.into_iter().try_for_each(|name| check_name(name))?;
        Ok(Self { files })
    }

    /// The files, without duplicates.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.files.values().map(String::as_str).collect()
    }
}

/// Checks that `name` is a plain file name: no path, no URL, no hidden file.
fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let stays = !name.starts_with('.') && name.len() <= LONGEST_NAME && name.chars().all(plain);
    if stays && is_weights(name) {
        Ok(())
    } else {
        Err(error(format!("{INDEX} names the file {name:?}"))
            .expected("files beside it, such as model-00001-of-00002.safetensors")
            .advice("Nothing outside of the model's folder is read."))
    }
}

/// The error for a tensor that is not in the file that the index names.
pub(super) fn not_there(tensor: &str, file: &str) -> Error {
    error(format!(
        "{INDEX} says that tensor {tensor} is in {file}, which does not have it"
    ))
    .advice("The files are not of one model; download all of them again.")
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Checkpoint, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_says_which_tensor_is_in_which_file() {
        let json = r#"{"metadata": {"total_size": 1}, "weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors", "a": "m-1-of-2.safetensors"}}"#;
        let index = Index::parse(json.as_bytes()).expect("reads");
        assert_eq!(
            index.names().into_iter().collect::<Vec<_>>(),
            ["m-1-of-2.safetensors", "m-2-of-2.safetensors"]
        );
        assert_eq!(index.files["b"], "m-2-of-2.safetensors");
    }

    #[test]
    fn an_index_stays_in_its_folder() {
        for name in [
            "../model.safetensors",
            "/etc/model.safetensors",
            "https://example.org/model.safetensors",
            "//example.org/model.safetensors",
            "..\\model.safetensors",
            "C:model.safetensors",
            "sub/model.safetensors",
            ".hidden.safetensors",
            "%2e%2e%2fmodel.safetensors",
            "model.safetensors?download=true",
            "model.safetensors\u{0}",
            "model.bin",
            "",
        ] {
            let json = serde_json::json!({"weight_map": {"a": name}});
            let error = Index::parse(json.to_string().as_bytes()).expect_err(name);
            assert_eq!(error.kind, ErrorKind::Checkpoint);
            assert!(error.cause.starts_with(&format!("{INDEX} names the file")), "{error}");
        }
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for (json, part) in [
            ("{}", "weight_map"),
            ("[]", "can't be read"),
            (r#"{"weight_map": {}}"#, "names no tensor"),
            (r#"{"weight_map": {"a": 1}}"#, "can't be read"),
            (
                r#"{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}"#,
                "in \"x.safetensors\" and in \"y.safetensors\"",
            ),
        ] {
            let error = Index::parse(json.as_bytes()).expect_err(json);
            assert!(error.cause.contains(part), "{error}");
        }
        let many: BTreeMap<String, String> = (0..=MAX_FILES)
            .map(|i| (format!("t{i}"), format!("{i}.safetensors")))
            .collect();
        let error = Index::parse(serde_json::json!({"weight_map": many}).to_string().as_bytes()).expect_err("too many");
        assert!(error.cause.contains("names 1025 files"), "{error}");
    }
}
