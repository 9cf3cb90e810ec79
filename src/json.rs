//! Deserializes JSON with errors that tell the place in the document.

use std::fmt;

use serde::de::DeserializeOwned;

/// Why JSON could not be read.
#[derive(Debug)]
pub(crate) struct JsonError {
    /// Where: `sections[1].heatmaps.key.sum`; empty for the whole.
    path: String,
    /// What is wrong there.
    cause: String,
}

impl JsonError {
    /// The same error for JSON that is part of another document, at `place`.
    pub(crate) fn within(self, place: &str) -> Self {
        let path = if self.path.starts_with(['[']) || self.path.is_empty() {
            format!("{place}{}", self.path)
        } else {
            format!("{place}.{}", self.path)
        };
        Self { path, ..self }
    }
}

/// "sections\[1\].head (what is wrong)".
impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.cause),
            path => write!(f, "{path} ({})", self.cause),
        }
    }
}

/// Deserializes `bytes`.
///
/// The path of an error is reconstructed afterwards from its offset. The crate `serde_path_to_error`, which tracks it
/// while reading, made the page's wasm 15 kB larger (of 530 kB, brotli), because all types are compiled for its
/// deserializers again.
///
/// # Errors
/// Where `bytes` are not JSON or not a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let before = bytes.split(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
        let line_start = before.map(|line| line.len() + 1).sum::<usize>();
        let read = &bytes[..(line_start + error.column()).min(bytes.len())];
        let message = error.to_string();
        let cause = message.rsplit_once(" at line ").map_or(&*message, |(cause, _)| cause);
        JsonError {
            path: path_after(read),
            cause: cause.to_owned(),
        }
    })
}

/// An object or array that is not closed yet, and the current place in it.
enum Open {
    Object(Option<String>),
    Array(usize),
}

/// The path of the last value in `json`, a prefix of a document.
fn path_after(json: &[u8]) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let start = at;
        at += 1;
        match (byte, open.last_mut()) {
            (b'{', _) => open.push(Open::Object(None)),
            (b'[', _) => open.push(Open::Array(0)),
            (b'}' | b']', _) => drop(open.pop()),
            (b',', Some(Open::Object(key))) => *key = None,
            (b',', Some(Open::Array(index))) => *index += 1,
            (b'"', last) => {
                while json.get(at).is_some_and(|byte| *byte != b'"') {
                    at += 1 + usize::from(json[at] == b'\\');
                }
                at = (at + 1).min(json.len());
                if let Some(Open::Object(key @ None)) = last {
                    *key = serde_json::from_slice(&json[start..at]).ok();
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in open {
        match step {
            Open::Object(Some(key)) if path.is_empty() => path = key,
            Open::Object(Some(key)) => path = format!("{path}.{key}"),
            Open::Object(None) => {}
            Open::Array(index) => path = format!("{path}[{index}]"),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::analysis::Array;

    #[derive(Debug, Deserialize)]
    struct Part {
        #[serde(rename = "head")]
        _head: crate::names::Head,
        #[serde(default, rename = "arrays")]
        _arrays: BTreeMap<String, Array>,
    }

    #[derive(Debug, Deserialize)]
    struct Whole {
        #[serde(rename = "parts")]
        _parts: Vec<Part>,
    }

    #[test]
    fn the_path_leads_to_what_is_wrong() {
        for (text, expected) in [
            (r#"7"#, "invalid type: integer `7`"),
            (r#"{}"#, "missing field `parts`"),
            (r#"{"parts": 7}"#, "parts (invalid type: integer `7`"),
            (
                r#"{"parts": [{"head": "1.0"}, "x"]}"#,
                "parts[1] (invalid type: string \"x\"",
            ),
            (r#"{"parts": [{"head": "1.0"}, {"head": "x"}]}"#, "parts[1].head (\"x\""),
            (r#"{"parts": [{"head": "1.0"}, {}]}"#, "parts[1] (missing field `head`"),
            (
                "{\"a\": {\"b\": [\"}\\\"\"]},\n \"parts\": [{\"arrays\": {}}]}",
                "parts[0] (missing field `head`",
            ),
            (
                "{\"parts\":\n[{\"head\": \"1.0\",\n\"arrays\": {\"a\": {\"shape\": [1], \"data\": [1]}, \"q \\\"par\": {\"shape\": [1], \"data\": [null]}}}]}",
                "parts[0].arrays.q \"par.data[0] (invalid type: null",
            ),
            (
                r#"{"parts": [{"head": "1.0", "arrays": {"a": {"shape": [2], "data": [1]}, "b": 1}}]}"#,
                "parts[0].arrays.a (an array of shape [2] has 1 numbers",
            ),
            (r#"{"parts": [{"head": "1.0"}"#, "(EOF while parsing"),
        ] {
            let error = read::<Whole>(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("at line"), "{error}");
        }
    }

    #[test]
    fn a_place_within_another_has_one_path() {
        let error = |text: &str| {
            read::<Vec<Part>>(text.as_bytes())
                .expect_err(text)
                .within("sections[1]")
        };
        assert!(error("[{}]").to_string().starts_with("sections[1][0] (missing"));
        assert!(error("1").to_string().starts_with("sections[1] (invalid"));
        let error = read::<Part>(br#"{"head": 1}"#)
            .expect_err("no text")
            .within("sections[1]");
        assert!(error.to_string().starts_with("sections[1].head (invalid"), "{error}");
    }
}
