//! Parses `tokenizer.json`, or `vocab.json` and `merges.txt`, and accepts only byte-level BPE tokenizers like GPT-2's.
//!
//! The parser of the `tokenizers` crate accepts every kind of tokenizer, and panics on merges whose result is not in
//! the vocabulary. Here the parts that GPT-2 has are checked, then assembled. Post-processors and training settings
//! (truncation, padding) do not affect the tokens of a prompt and are ignored.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, NormalizedString, Normalizer, TokenizerImpl};

use super::tokenizer_split::{byte_level, changing_step, kind};
use crate::error::{Error, ErrorKind, Result};

/// The file that contains everything.
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// The older files, used if it does not exist: tokens, merges, added tokens.
pub(super) const VOCABULARY: &str = "vocab.json";
pub(super) const MERGES: &str = "merges.txt";
pub(super) const ADDED: &str = "added_tokens.json";

/// Text of the special token in the older files, which do not mark it as special.
const END_OF_TEXT: &str = "<|endoftext|>";

/// The optional first line of `merges.txt`.
const VERSION: &str = "#version";

#[derive(Deserialize)]
#[serde(rename = "tokenizer")]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    model: Model,
}

/// A token that is matched in the text before merging.
#[derive(Deserialize)]
#[serde(rename = "added_token")]
struct Added {
    #[serde(default)]
    id: Option<u32>,
    #[serde(flatten)]
    token: AddedToken,
}

/// Byte-level BPE alone: the library's `Tokenizer` has every kind of model, normalizer and pre-tokenizer in it, code that the
/// worker would carry for nothing.
pub(super) type ByteLevelBpe = TokenizerImpl<BPE, Unchanged, ByteLevel, ByteLevel, ByteLevel>;

/// The normalizer of a tokenizer that has none.
pub(super) struct Unchanged;

impl Normalizer for Unchanged {
    fn normalize(&self, _: &mut NormalizedString) -> tokenizers::Result<()> {
        Ok(())
    }
}

/// A tokenizer as its files describe it.
pub(super) struct Read {
    pub(super) tokenizer: ByteLevelBpe,
    /// The token with the largest id among byte tokens and merge results.
    pub(super) last: Option<(String, u32)>,
    /// The file with the vocabulary, for error messages.
    pub(super) file: &'static str,
}

#[derive(Default, Deserialize)]
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

/// Two tokens to merge: `["a", "b"]`, or `"a b"` in older files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Text(String),
}

/// Parses `tokenizer.json`.
pub(super) fn read(bytes: &[u8]) -> Result<Read> {
    let File {
        added_tokens,
        normalizer,
        pre_tokenizer,
        model,
    } = serde_json::from_slice(bytes).map_err(|cause| {
        error(format!("{TOKENIZER} can't be read ({cause})"))
            .expected("a tokenizer in the format of the library `tokenizers`")
    })?;
    if let Some(step) = changing_step(&normalizer) {
        return Err(unsupported(format!("a normalizer ({})", kind(step))));
    }
    let split = byte_level(&pre_tokenizer).map_err(unsupported)?;
    build(model, added_tokens, split, (TOKENIZER, TOKENIZER))
}

/// The tokens of `vocab.json`, and their ids.
pub(super) fn read_vocabulary(bytes: &[u8]) -> Result<HashMap<String, u32>> {
    serde_json::from_slice(bytes).map_err(|cause| {
        error(format!("{VOCABULARY} can't be read ({cause})")).expected("an object with an id for each token")
    })
}

/// The pairs of `merges.txt`: two tokens a line, with a space between them. The first line may be a comment.
pub(super) fn read_merges(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|cause| error(format!("{MERGES} is not text in UTF-8 ({cause})")).expected("two tokens a line"))?;
    if text.starts_with('\u{feff}') {
        return Err(error(format!("{MERGES} begins with a byte order mark")));
    }
    let mut merges = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || index == 0 && line.starts_with(VERSION) {
            continue;
        }
        match line.split_once(' ') {
            Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
                merges.push((left.to_owned(), right.to_owned()));
            }
            _ => {
                return Err(error(format!("line {} of {MERGES} is {line:?}", index + 1))
                    .expected("two tokens with a space between them"));
            }
        }
    }
    Ok(merges)
}

/// The tokenizer of a `vocabulary`, `merges` and the tokens of `added_tokens.json`.
pub(super) fn of_parts(
    vocabulary: HashMap<String, u32>,
    merges: Vec<(String, String)>,
    added: HashMap<String, u32>,
) -> Result<Read> {
    let special = |(content, id): (String, u32)| Added {
        id: Some(id),
        token: AddedToken::from(content, true),
    };
    let end = vocabulary.get(END_OF_TEXT).map(|id| (END_OF_TEXT.to_owned(), *id));
    let mut tokens: Vec<(String, u32)> = added.into_iter().chain(end).collect();
    tokens.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
    tokens.dedup();
    let model = Model {
        vocab: vocabulary,
        merges: merges
            .into_iter()
            .map(|(left, right)| Merge::Pair(left, right))
            .collect(),
        ..Model::default()
    };
    let added = tokens.into_iter().map(special).collect();
    build(model, added, ByteLevel::new(false, true, true), (VOCABULARY, MERGES))
}

/// Assembles a tokenizer. `files` are the names of the files with vocabulary and merges.
fn build(model: Model, added: Vec<Added>, split: ByteLevel, files: (&'static str, &'static str)) -> Result<Read> {
    model.check(&added)?;
    // Added tokens keep the ids of the file; the library would renumber them.
    let taken: HashSet<u32> = model.vocab.values().copied().collect();
    let free = |id: &u32| !taken.contains(id);
    let mut unmerged = Vec::new();
    for Added { id, token } in &added {
        if let Some(id) = id.filter(free)
            && !token.content.is_empty()
            && !model.vocab.contains_key(&token.content)
        {
            unmerged.push((token.content.clone(), id));
        }
    }
    let last = model.last();
    let mut tokenizer = ByteLevelBpe::new(model.build(unmerged, files)?);
    tokenizer.with_pre_tokenizer(Some(split));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let added = added.into_iter().map(|added| added.token);
    tokenizer.add_tokens(added).map_err(|cause| unusable(files.0, &cause))?;
    Ok(Read {
        tokenizer,
        last,
        file: files.0,
    })
}

impl Model {
    fn check(&self, added: &[Added]) -> Result<()> {
        let written = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let what = match &self.r#type {
            Some(kind) if kind != "BPE" => format!("a model of type {kind:?}"),
            _ if self.dropout.is_some_and(|dropout| dropout != 0.0) => "dropout, which makes tokens random".into(),
            _ if written(&self.continuing_subword_prefix) => "a continuing_subword_prefix".into(),
            _ if written(&self.end_of_word_suffix) => "an end_of_word_suffix".into(),
            _ if self.byte_fallback => "byte_fallback".into(),
            _ => {
                let is_token = |text: &String| {
                    self.vocab.contains_key(text) || added.iter().any(|added| added.token.content == *text)
                };
                return match self.unk_token.as_ref().filter(|text| !is_token(text)) {
                    Some(unknown) => {
                        Err(error(format!("{TOKENIZER} has the unk_token {unknown:?}")).expected("a token"))
                    }
                    None => Ok(()),
                };
            }
        };
        Err(unsupported(what))
    }

    /// The token with the largest id among byte tokens and merge results.
    fn last(&self) -> Option<(String, u32)> {
        let is_byte = |token: &str| {
            let mut symbols = token.chars();
            symbols.next().is_some_and(|symbol| byte_of(symbol).is_some()) && symbols.next().is_none()
        };
        let bytes = self
            .vocab
            .iter()
            .filter(|(token, _)| is_byte(token) || self.ignore_merges);
        let bytes = bytes.map(|(token, id)| (token.clone(), *id));
        let merged = self.merges.iter().filter_map(|merge| {
            let whole = merge.whole()?;
            let id = *self.vocab.get(&whole)?;
            Some((whole, id))
        });
        bytes.chain(merged).max_by_key(|(_, id)| *id)
    }

    /// The BPE model, plus tokens that no merge produces.
    fn build(self, unmerged: Vec<(String, u32)>, files: (&'static str, &'static str)) -> Result<BPE> {
        let mut merges = Vec::with_capacity(self.merges.len());
        for merge in self.merges {
            merges.push(merge.checked(&self.vocab, files)?);
        }
        let mut builder = BPE::builder()
            .vocab_and_merges(
                self.vocab
                    .into_iter()
                    .chain(unmerged)
                    .collect::<tokenizers::models::bpe::Vocab>(),
                merges,
            )
            .fuse_unk(self.fuse_unk)
            .ignore_merges(self.ignore_merges);
        if let Some(unknown) = self.unk_token {
            builder = builder.unk_token(unknown);
        }
        builder.build().map_err(|cause| unusable(files.0, &cause))
    }
}

impl Merge {
    /// The merged token.
    fn whole(&self) -> Option<String> {
        let (left, right) = match self {
            Self::Pair(left, right) => (left.as_str(), right.as_str()),
            Self::Text(text) => text.split_once(' ')?,
        };
        Some(format!("{left}{right}"))
    }

    /// Both tokens, if they and the merged token are in `vocabulary`.
    fn checked(
        self,
        vocabulary: &HashMap<String, u32>,
        (file, merges): (&'static str, &'static str),
    ) -> Result<(String, String)> {
        let (left, right) = match self {
            Self::Pair(left, right) => (left, right),
            Self::Text(text) => match text.split_once(' ') {
                Some((left, right)) if !right.contains(' ') => (left.to_owned(), right.to_owned()),
                _ => {
                    return Err(error(format!("{merges} has the merge {text:?}"))
                        .expected("two tokens with a space between them"));
                }
            },
        };
        let whole = format!("{left}{right}");
        for token in [&left, &right, &whole] {
            if !vocabulary.contains_key(token) {
                return Err(error(format!(
                    "{merges} merges {left:?} and {right:?}, but the vocabulary of {file} lacks {token:?}"
                ))
                .expected("merges of tokens into tokens")
                .advice("Download the file again."));
            }
        }
        Ok((left, right))
    }
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    error(format!("{TOKENIZER} has {what}"))
        .expected("a byte-level BPE tokenizer, as GPT-2 has it")
        .advice("Use the tokenizer.json that belongs to this model.")
}

fn unusable(file: &str, cause: &impl ToString) -> Error {
    error(format!("{file} can't be used ({})", cause.to_string()))
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, cause)
}

/// The byte that a character of a byte-level token stands for. Printable Latin-1 characters stand for themselves, the
/// others are numbered from U+0100 on; None for all other characters.
pub(super) fn byte_of(symbol: char) -> Option<u8> {
    let itself = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let code = u32::from(symbol);
    match code.checked_sub(0x100) {
        None => u8::try_from(code).ok().filter(itself),
        Some(place) => (0..=u8::MAX).filter(|byte| !itself(byte)).nth(place as usize),
    }
}
