//! Recognizes files whose content does not match their name: a Git LFS pointer, a web page, another format, another
//! text encoding. Used for error messages.

use super::header;
use crate::error::Error;

/// What a file really is, and what the user can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    is: String,
    advice: &'static str,
}

const AGAIN: &str = "Download or copy it again.";
const ORIGINAL: &str = "Use the model's weights in the safetensors format.";
const UTF_8: &str = "Save it as UTF-8 without a byte order mark.";
const WEB_PAGE: &str = "Check the address: servers answer with a page where a file needs signing in, or is not there.";

/// First bytes of other kinds of files, what those are, and what the user can do.
const BEGINNINGS: [(&[u8], &str, &str); 11] = [
    (
        b"version ",
        "it is a git-lfs pointer, which stands for the file that git has not fetched",
        "Run `git lfs pull` in its folder, or download the file itself.",
    ),
    (
        b"PK\x03\x04",
        "it is a zip archive, as PyTorch's files of weights are",
        ORIGINAL,
    ),
    (
        b"\x80\x02",
        "it is a Python pickle, as PyTorch's files of weights are",
        ORIGINAL,
    ),
    (
        b"\x80\x03",
        "it is a Python pickle, as PyTorch's files of weights are",
        ORIGINAL,
    ),
    (
        b"\x80\x04",
        "it is a Python pickle, as PyTorch's files of weights are",
        ORIGINAL,
    ),
    (b"\x89HDF", "it is an HDF5 file, as TensorFlow's weights are", ORIGINAL),
    (b"GGUF", "it is a GGUF file, made for llama.cpp", ORIGINAL),
    (
        b"\x1f\x8b",
        "it is compressed with gzip",
        "Unpack it first; a server must send it as it is.",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed with zstd",
        "Unpack it first; a server must send it as it is.",
    ),
    (
        b"Entry not found",
        "it is a server's message that there is no such file",
        "Check the address.",
    ),
    (
        b"\0\0\0\0\0\0\0\0",
        "it begins with zero bytes, as where a download was broken off",
        AGAIN,
    ),
];

/// Replaces `error`, which is about `file` and its first `bytes`, by a more specific error where the content is
/// recognized.
pub(super) fn named(file: &str, bytes: &[u8], error: Error) -> Error {
    let (expected, other) = if header::is_weights(file) {
        ("a safetensors file", of_weights(bytes))
    } else if file.ends_with(".json") {
        ("JSON", of_text(bytes))
    } else {
        ("a text file", of_text(bytes))
    };
    match other {
        Some(Other { is, advice }) => Error::new(error.kind, format!("{file} is not {expected}: {is}")).advice(advice),
        None => error,
    }
}

fn other(is: impl Into<String>, advice: &'static str) -> Option<Other> {
    Some(Other { is: is.into(), advice })
}

/// What the first bytes of a weights file show it to be.
fn of_weights(bytes: &[u8]) -> Option<Other> {
    let known = BEGINNINGS.iter().find(|(beginning, ..)| bytes.starts_with(beginning));
    if let Some((_, is, advice)) = known {
        return other(*is, advice);
    }
    match bytes.trim_ascii_start().first() {
        Some(b'<') => other("it is a web page", WEB_PAGE),
        Some(b'{') => other(
            "it is JSON text",
            "Check that it is the file of weights, and not its description.",
        ),
        _ => None,
    }
}

/// What a text file is, where it cannot be parsed as the expected text.
fn of_text(bytes: &[u8]) -> Option<Other> {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => return other("it begins with a byte order mark (BOM)", UTF_8),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return other("it is text in UTF-16", UTF_8),
        _ if zeros > 0 && zeros == bytes.len() => return other("it is nothing but zero bytes", AGAIN),
        [first, 0, second, 0, ..] | [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            return other("it is text in UTF-16", UTF_8);
        }
        _ if zeros > 0 => {
            return other(
                format!("it ends in {zeros} zero bytes, as where a download was broken off"),
                AGAIN,
            );
        }
        _ => {}
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{') => None,
        Some(b'<') => other("it is a web page", WEB_PAGE),
        _ => of_weights(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn files_are_called_what_they_are() {
        let utf_16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let big: Vec<u8> = "{\"a\"".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (file, bytes, part) in [
            (
                "model.safetensors",
                b"version https://git-lfs".to_vec(),
                "is not a safetensors file: it is a git-lfs pointer",
            ),
            (
                "model-00001-of-00002.safetensors",
                b"version ".to_vec(),
                "git-lfs pointer",
            ),
            (
                "tokenizer.json",
                b"version https://git-lfs".to_vec(),
                "is not JSON: it is a git-lfs pointer",
            ),
            (
                "merges.txt",
                b"version https://git-lfs".to_vec(),
                "is not a text file: it is a git-lfs pointer",
            ),
            ("model.safetensors", b"<!DOCTYP".to_vec(), "a web page"),
            ("config.json", b"\n <html>".to_vec(), "is not JSON: it is a web page"),
            ("model.safetensors", b"PK\x03\x04....".to_vec(), "a zip archive"),
            (
                "model.safetensors",
                b"\x80\x02\x8a\nl\xfc\x9cF".to_vec(),
                "a Python pickle",
            ),
            ("model.safetensors", b"\x89HDF\r\n\x1a\n".to_vec(), "an HDF5 file"),
            ("model.safetensors", b"GGUF\x03\0\0\0".to_vec(), "a GGUF file"),
            (
                "model.safetensors",
                b"\x1f\x8b\x08\0\0\0\0\0".to_vec(),
                "compressed with gzip",
            ),
            (
                "config.json",
                b"\x1f\x8b\x08\x01\x02\x03\x04\x05".to_vec(),
                "compressed with gzip",
            ),
            ("model.safetensors", vec![0; 8], "begins with zero bytes"),
            ("model.safetensors", b"{\"metada".to_vec(), "JSON text"),
            ("config.json", b"\xef\xbb\xbf{}".to_vec(), "byte order mark"),
            ("config.json", [b"\xff\xfe".to_vec(), utf_16("{}")].concat(), "UTF-16"),
            ("vocab.json", utf_16("{\"a\": 0}"), "UTF-16"),
            ("vocab.json", big, "UTF-16"),
            ("config.json", b"{}\0\0\0".to_vec(), "ends in 3 zero bytes"),
            ("config.json", vec![0; 700], "nothing but zero bytes"),
        ] {
            let before = Error::new(ErrorKind::Config, "something else");
            let error = named(file, &bytes, before.clone());
            assert!(error.cause.starts_with(&format!("{file} is not ")), "{error}");
            assert!(error.cause.contains(part) && error.advice.ends_with('.'), "{error}");
            assert_eq!(error.kind, before.kind);
        }
        for (file, bytes) in [
            ("config.json", &b"{\"a\""[..]),
            ("config.json", b""),
            ("merges.txt", b"#version: 0.2\na b"),
            ("model.safetensors", &[0xff; 8]),
            ("model.safetensors", b"abc"),
        ] {
            let before = Error::new(ErrorKind::Config, "something else");
            assert_eq!(named(file, bytes, before.clone()), before, "{file}");
        }
    }
}
