//! Reads `tokenizer.json` and lets through only what a byte-level BPE tokenizer consists of.
//!
//! The library's own reader takes every kind of tokenizer, and panics for merges whose result is not in the
//! vocabulary. Here the parts that GPT-2 has are checked, then put together; post-processors and settings for
//! training (truncation, padding) have no effect on the tokens of a prompt and are not read.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use tokenizers::AddedToken;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::BPE;

use crate::error::{Error, ErrorKind, Result};

#[derive(Deserialize)]
#[serde(rename = "tokenizer")]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    normalizer: Option<Value>,
    pre_tokenizer: PreTokenizer,
    model: Model,
}

#[derive(Deserialize)]
#[serde(rename = "pre_tokenizer")]
struct PreTokenizer {
    r#type: String,
    #[serde(default)]
    add_prefix_space: bool,
    #[serde(default = "yes")]
    use_regex: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename = "model")]
struct Model {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    dropout: Option<f32>,
    #[serde(default)]
    unk_token: Option<String>,
    #[serde(default)]
    continuing_subword_prefix: Option<String>,
    #[serde(default)]
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// Two tokens that become one: `["a", "b"]`, or `"a b"` in older files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Text(String),
}

/// The tokenizer that `bytes` describe.
pub(super) fn read(bytes: &[u8]) -> Result<tokenizers::Tokenizer> {
    let File {
        added_tokens,
        normalizer,
        pre_tokenizer,
        model,
    } = serde_json::from_slice(bytes).map_err(|cause| {
        error(format!("tokenizer.json can't be read ({cause})"))
            .expected("a tokenizer in the format of the library `tokenizers`")
    })?;
    if let Some(normalizer) = normalizer {
        let kind = normalizer.get("type").unwrap_or(&Value::Null);
        return Err(unsupported(format!("a normalizer ({kind})")));
    }
    if pre_tokenizer.r#type != "ByteLevel" {
        return Err(unsupported(format!("the pre_tokenizer {:?}", pre_tokenizer.r#type)));
    }
    let split = ByteLevel::new(pre_tokenizer.add_prefix_space, true, pre_tokenizer.use_regex);
    let mut tokenizer = tokenizers::Tokenizer::new(model.build()?);
    tokenizer.with_pre_tokenizer(Some(split));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    tokenizer.add_tokens(added_tokens).map_err(|cause| unusable(&cause))?;
    Ok(tokenizer)
}

impl Model {
    fn check(&self) -> Result<()> {
        let written = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let what = match &self.r#type {
            Some(kind) if kind != "BPE" => format!("a model of type {kind:?}"),
            _ if self.dropout.is_some_and(|dropout| dropout != 0.0) => "dropout, which makes tokens random".into(),
            _ if written(&self.continuing_subword_prefix) => "a continuing_subword_prefix".into(),
            _ if written(&self.end_of_word_suffix) => "an end_of_word_suffix".into(),
            _ if self.byte_fallback => "byte_fallback".into(),
            _ => return Ok(()),
        };
        Err(unsupported(what))
    }

    fn build(self) -> Result<BPE> {
        self.check()?;
        if let Some(unknown) = self.unk_token.as_ref().filter(|token| !self.vocab.contains_key(*token)) {
            return Err(error(format!("tokenizer.json has the unk_token {unknown:?}")).expected("a token"));
        }
        let mut merges = Vec::with_capacity(self.merges.len());
        for merge in self.merges {
            merges.push(merge.checked(&self.vocab)?);
        }
        let mut builder = BPE::builder()
            .vocab_and_merges(
                self.vocab.into_iter().collect::<tokenizers::models::bpe::Vocab>(),
                merges,
            )
            .fuse_unk(self.fuse_unk)
            .ignore_merges(self.ignore_merges);
        if let Some(unknown) = self.unk_token {
            builder = builder.unk_token(unknown);
        }
        builder.build().map_err(|cause| unusable(&cause))
    }
}

impl Merge {
    /// Both tokens, where they and what they become are in `vocabulary`.
    fn checked(self, vocabulary: &HashMap<String, u32>) -> Result<(String, String)> {
        let (left, right) = match self {
            Self::Pair(left, right) => (left, right),
            Self::Text(text) => match text.split_once(' ') {
                Some((left, right)) if !right.contains(' ') => (left.to_owned(), right.to_owned()),
                _ => {
                    return Err(error(format!("tokenizer.json has the merge {text:?}"))
                        .expected("two tokens with a space between them"));
                }
            },
        };
        let whole = format!("{left}{right}");
        for token in [&left, &right, &whole] {
            if !vocabulary.contains_key(token) {
                return Err(error(format!(
                    "tokenizer.json merges {left:?} and {right:?}, but its vocabulary lacks {token:?}"
                ))
                .expected("merges of tokens into tokens")
                .advice("Download the file again."));
            }
        }
        Ok((left, right))
    }
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    error(format!("tokenizer.json has {what}"))
        .expected("a byte-level BPE tokenizer, as GPT-2 has it")
        .advice("Use the tokenizer.json that belongs to this model.")
}

fn unusable(cause: &impl ToString) -> Error {
    error(format!("tokenizer.json can't be used ({})", cause.to_string()))
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, cause)
}

/// The byte that a character of a byte-level token stands for. Printable ones of Latin-1 stand for themselves, the others follow from
/// U+0100 on, in order; None for all else.
pub(super) fn byte_of(symbol: char) -> Option<u8> {
    let itself = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let code = u32::from(symbol);
    match code.checked_sub(0x100) {
        None => u8::try_from(code).ok().filter(itself),
        Some(place) => (0..=u8::MAX).filter(|byte| !itself(byte)).nth(place as usize),
    }
}
