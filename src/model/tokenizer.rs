//! `tokenizer.json`, or `vocab.json` and `merges.txt`: byte-level BPE.

use tokenizers::{Encoding, Model, OffsetType, PreTokenizedString, PreTokenizer};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::tokenizer_file::{self, ByteLevelBpe, Read};
use crate::model::tokenizer_parts::TokenizerParts;

/// Limit of the vocabulary entries without a token: some checkpoints pad the embedding to a round number.
const MAX_PADDING: usize = 1023;

/// Candidates for BOS, most likely first, for configurations that do not name one.
const BOS_TEXTS: [&str; 5] = ["<|endoftext|>", "<|startoftext|>", "<s>", "<bos>", "[BOS]"];

/// A byte-level BPE tokenizer that has been checked against a model's vocabulary.
pub struct Tokenizer {
    tokenizer: ByteLevelBpe,
    bos_token: Option<u32>,
    d_vocab: usize,
}

impl Tokenizer {
    /// Parses `tokenizer.json` (merges as strings or as pairs) and checks it against `config.d_vocab`.
    ///
    /// BOS is the configuration's, if it is a token of this tokenizer; otherwise the tokenizer's own, preferably
    /// `<|endoftext|>`. (An id without a token is padding, whose embedding is meaningless.)
    ///
    /// # Errors
    /// [`crate::ErrorKind::Tokenizer`] when it can't be read, is not byte-level BPE, has ids beyond the vocabulary that
    /// texts lead to, or leaves so much of the vocabulary without a token that it must belong to another model.
    pub fn from_json(bytes: &[u8], config: &Config) -> Result<Self> {
        Self::checked(tokenizer_file::read(bytes)?, config)
    }

    /// The same for the older files: the tokens of `vocab.json`, the pairs of `merges.txt`, the tokens of
    /// `added_tokens.json`.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn from_parts(parts: TokenizerParts, config: &Config) -> Result<Self> {
        let TokenizerParts {
            vocabulary,
            merges,
            added,
        } = parts;
        Self::checked(tokenizer_file::of_parts(vocabulary, merges, added)?, config)
    }

    fn checked(read: Read, config: &Config) -> Result<Self> {
        check_vocabulary(&read, config.d_vocab)?;
        let tokenizer = read.tokenizer;
        let is_token = |id: &u32| (*id as usize) < config.d_vocab && tokenizer.id_to_token(*id).is_some();
        let named = config.bos_token_id.filter(is_token);
        let own = || {
            BOS_TEXTS
                .iter()
                .filter_map(|text| tokenizer.token_to_id(text))
                .find(is_token)
        };
        let bos_token = named.or_else(own);
        Ok(Self {
            tokenizer,
            bos_token,
            d_vocab: config.d_vocab,
        })
    }

    /// Tokens of `text`, without BOS.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] when `text` does not tokenize.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|cause| untokenized(text, &cause))?;
        self.within_vocabulary(text, &encoding)
    }

    /// The tokens of `encoding`, if all are within the model's vocabulary.
    fn within_vocabulary(&self, text: &str, encoding: &Encoding) -> Result<Vec<u32>> {
        let tokens = encoding.get_ids();
        let Some(beyond) = tokens.iter().find(|id| **id as usize >= self.d_vocab) else {
            return Ok(tokens.to_vec());
        };
        let token = self.label(*beyond);
        let cause = format!(
            "{text:?} has the token {token:?} with the id {beyond}, which the model's vocabulary does not have"
        );
        Err(Error::new(ErrorKind::Prompt, cause).expected(format!("tokens with ids from 0 to {}", self.d_vocab - 1)))
    }

    /// Tokens of `text`, without BOS, with special tokens read as text: `<|endoftext|>` is its 13 characters.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_as_text(&self, text: &str) -> Result<Vec<u32>> {
        let tokens = || {
            let mut pieces = PreTokenizedString::from(text);
            if let Some(split) = self.tokenizer.get_pre_tokenizer() {
                split.pre_tokenize(&mut pieces)?;
            }
            pieces.tokenize(|piece| self.tokenizer.get_model().tokenize(piece.get()))?;
            pieces.into_encoding(None, 0, OffsetType::Byte)
        };
        let encoding: std::result::Result<Encoding, tokenizers::Error> = tokens();
        let encoding = encoding.map_err(|cause| untokenized(text, &cause))?;
        self.within_vocabulary(text, &encoding)
    }

    /// The special tokens whose texts occur in `text`, without repetition, by id.
    pub fn special_tokens_in(&self, text: &str) -> Vec<String> {
        let added = self.tokenizer.get_added_tokens_decoder();
        let special = added.into_iter().filter(|(_, token)| token.special);
        let mut found: Vec<(u32, String)> = special
            .map(|(id, token)| (id, token.content))
            .filter(|(_, content)| !content.is_empty() && text.contains(content.as_str()))
            .collect();
        found.sort();
        found.into_iter().map(|(_, content)| content).collect()
    }

    /// Tokens of `text`, without BOS, and the end of each in bytes: the first token begins at 0, each other one at the
    /// end of its predecessor. A multi-byte character may be split between tokens.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`]; [`crate::ErrorKind::Prompt`] also where the tokens are not the text, as of a tokenizer that
    /// changes it.
    pub fn encode_with_ends(&self, text: &str) -> Result<(Vec<u32>, Vec<usize>)> {
        let tokens = self.encode(text)?;
        let added = self.tokenizer.get_added_tokens_decoder();
        let mut end = 0;
        let ends = tokens.iter().map(|token| {
            end += match added.get(token) {
                Some(token) => token.content.len(),
                // A byte-level token has one character per byte.
                None => self
                    .tokenizer
                    .id_to_token(*token)
                    .map_or(0, |token| token.chars().count()),
            };
            end
        });
        let ends: Vec<usize> = ends.collect();
        if end != text.len() {
            let cause = format!("{text:?} is not what its tokens say");
            return Err(Error::new(ErrorKind::Prompt, cause).expected("a tokenizer that changes nothing of a text"));
        }
        Ok((tokens, ends))
    }

    /// The token whose text is `text`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`], naming `text`, when it is more than one token or none.
    pub fn single_token(&self, text: &str) -> Result<u32> {
        let tokens = self.encode(text)?;
        match tokens[..] {
            [token] => Ok(token),
            _ => Err(Error::new(
                ErrorKind::Prompt,
                format!("{text:?} is {} tokens in this model's tokenizer", tokens.len()),
            )
            .expected("one token")
            .advice("Choose a model whose tokenizer has every name of the prompts as one token.")),
        }
    }

    /// The text of `token`, leading space included. Invalid UTF-8 is shown as U+FFFD.
    pub fn token_text(&self, token: u32) -> Option<String> {
        self.tokenizer.id_to_token(token)?;
        self.tokenizer.decode(&[token], false).ok()
    }

    /// The text of `token`, with invalid UTF-8 as `\xE6`; `[50257]` for an id without a token.
    pub fn label(&self, token: u32) -> String {
        let Some(found) = self.tokenizer.id_to_token(token) else {
            return format!("[{token}]");
        };
        if self.tokenizer.get_added_tokens_decoder().contains_key(&token) {
            return found;
        }
        let bytes: Option<Vec<u8>> = found.chars().map(tokenizer_file::byte_of).collect();
        let Some(bytes) = bytes else { return found };
        let mut label = String::new();
        for chunk in bytes.utf8_chunks() {
            label.push_str(chunk.valid());
            label.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
        }
        label
    }

    /// The concatenated text of `tokens`. Invalid UTF-8 and unknown tokens are shown as U+FFFD.
    pub fn text(&self, tokens: &[u32]) -> String {
        let known = |token: &u32| self.tokenizer.id_to_token(*token).is_some();
        let runs = tokens.chunk_by(|one, other| known(one) == known(other));
        let text = |run: &[u32]| {
            if run.first().is_some_and(known) {
                self.tokenizer.decode(run, false).unwrap_or_default()
            } else {
                "\u{fffd}".repeat(run.len())
            }
        };
        runs.map(text).collect()
    }

    /// The BOS token.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] where the model has none.
    pub fn bos_token(&self) -> Result<u32> {
        self.bos_token.ok_or_else(|| {
            Error::new(ErrorKind::Prompt, "this model has no token for the beginning of a text")
                .expected(format!(
                    "bos_token_id in config.json, or one of {} in tokenizer.json",
                    BOS_TEXTS.join(", ")
                ))
                .advice("Choose prompts without BOS.")
        })
    }

    /// Entries of the model's vocabulary (`config.d_vocab`).
    pub fn d_vocab(&self) -> usize {
        self.d_vocab
    }
}

fn check_vocabulary(read: &Read, d_vocab: usize) -> Result<()> {
    let file = read.file;
    let advice = format!("Use the {file} that belongs to this model.");
    let Some((token, id)) = &read.last else {
        return Err(error(format!("{file} has no tokens")).advice(advice));
    };
    if *id as usize >= d_vocab {
        return Err(error(format!(
            "{file} gives {token:?} the id {id}, but the model's vocabulary has {d_vocab} entries"
        ))
        .expected(format!("ids from 0 to {}", d_vocab - 1))
        .advice(advice));
    }
    let count = read.tokenizer.get_vocab_size(true);
    if count + MAX_PADDING < d_vocab {
        return Err(error(format!(
            "{file} has {count} tokens, but the model's vocabulary has {d_vocab} entries"
        ))
        .expected("a token for every entry but padding")
        .advice(advice));
    }
    Ok(())
}

fn untokenized(text: &str, cause: &impl ToString) -> Error {
    Error::new(
        ErrorKind::Prompt,
        format!("{text:?} can't be tokenised ({})", one_line(cause)),
    )
}

fn one_line(cause: &impl ToString) -> String {
    cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TINY: &[u8] = include_bytes!("../../tests/fixtures/tiny/tokenizer.json");

    fn config(d_vocab: usize) -> Config {
        let config =
            json!({"model_type": "gpt2", "n_layer": 3, "n_head": 4, "n_embd": 32, "vocab_size": d_vocab, "n_ctx": 128});
        Config::from_json(config.to_string().as_bytes()).expect("valid")
    }

    #[test]
    fn bos_is_a_token_and_not_padding() {
        let bos = |d_vocab: usize, id: Option<u32>| {
            let config = Config {
                bos_token_id: id,
                ..config(d_vocab)
            };
            Tokenizer::from_json(TINY, &config).expect("loads").bos_token().ok()
        };
        assert_eq!(bos(989, Some(5)), Some(5));
        assert_eq!(bos(1024, None), Some(988));
        assert_eq!(bos(1024, Some(1023)), Some(988));
        let mut json: Value = serde_json::from_slice(TINY).expect("json");
        json["added_tokens"] = json!([]);
        let vocab = json["model"]["vocab"].as_object_mut().expect("a vocabulary");
        vocab.remove("<|endoftext|>");
        let none = Tokenizer::from_json(json.to_string().as_bytes(), &config(989)).expect("loads");
        assert_eq!(none.bos_token().expect_err("no BOS").kind, ErrorKind::Prompt);
    }

    #[test]
    fn words_are_single_tokens_and_keep_their_space() {
        let tokenizer = Tokenizer::from_json(TINY, &config(989)).expect("loads");
        assert_eq!((tokenizer.bos_token().expect("BOS"), tokenizer.d_vocab()), (988, 989));
        let mary = tokenizer.single_token(" Mary").expect("one token");
        assert_eq!(tokenizer.token_text(mary).as_deref(), Some(" Mary"));
        assert_eq!(tokenizer.token_text(988).as_deref(), Some("<|endoftext|>"));
        assert_eq!(tokenizer.token_text(989), None);
        let pieces = tokenizer.encode(" é").expect("bytes");
        assert!(pieces.len() > 1);
        assert!(
            tokenizer
                .token_text(pieces[pieces.len() - 1])
                .expect("a token")
                .contains('\u{fffd}')
        );
        let error = tokenizer.single_token(" Zanzibar").expect_err("more than one token");
        assert_eq!(error.kind, ErrorKind::Prompt);
        assert!(error.to_string().starts_with("\" Zanzibar\" is "), "{error}");
        assert!(tokenizer.single_token("").is_err());
    }

    #[test]
    fn a_special_token_may_be_meant_as_text() {
        const GPT2: &[u8] = include_bytes!("../../tests/fixtures/gpt2-tokenizer.json");
        const STRINGS: &[u8] = include_bytes!("../../tests/fixtures/gpt2-tokenizer-strings.json");
        let tokenizer = Tokenizer::from_json(GPT2, &config(50257)).expect("loads");
        let text = "a <|endoftext|>b";
        assert_eq!(tokenizer.encode(text), Ok(vec![64, 220, 50256, 65]));
        let as_text = tokenizer.encode_as_text(text).expect("reads");
        assert_eq!(as_text, [64, 1279, 91, 437, 1659, 5239, 91, 29, 65]);
        assert_eq!(
            tokenizer.encode_as_text("<|endoftext|>"),
            Ok(vec![27, 91, 437, 1659, 5239, 91, 29])
        );
        assert_eq!(tokenizer.special_tokens_in(text), ["<|endoftext|>"]);
        assert!(tokenizer.special_tokens_in("<|endoftext|").is_empty());
        // All else is read alike.
        let strings: Value = serde_json::from_slice(STRINGS).expect("json");
        let mut compared = 0;
        for text in strings
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["text"].as_str())
        {
            if tokenizer.special_tokens_in(text).is_empty() {
                assert_eq!(tokenizer.encode_as_text(text), tokenizer.encode(text), "{text:?}");
                compared += 1;
            }
        }
        assert!(compared > 20, "{compared} strings");
    }

    #[test]
    fn merges_load_as_strings_and_as_pairs() {
        let mut json: Value = serde_json::from_slice(TINY).expect("json");
        let merges = json["model"]["merges"].as_array_mut().expect("merges");
        let was_string = merges[0].is_string();
        for merge in merges {
            *merge = match merge {
                Value::String(text) => json!(text.split_once(' ').expect("a pair")),
                Value::Array(pair) => json!(format!(
                    "{} {}",
                    pair[0].as_str().expect("left"),
                    pair[1].as_str().expect("right")
                )),
                _ => panic!("neither string nor pair"),
            };
        }
        let one = Tokenizer::from_json(TINY, &config(989)).expect("loads");
        let other = Tokenizer::from_json(json.to_string().as_bytes(), &config(989)).expect("loads");
        let text = "When Mary and John went to the store, John gave a drink to Mary";
        let tokens = one.encode(text).expect("reads");
        assert_eq!(tokens.len(), 15, "{tokens:?}");
        assert_eq!(other.encode(text), Ok(tokens), "was string: {was_string}");
    }

    #[test]
    fn a_tokenizer_of_another_model_is_refused() {
        for (d_vocab, part) in [
            (987, "the id 987, but the model's vocabulary has 987"),
            (50257, "has 989 tokens, but"),
        ] {
            let error = Tokenizer::from_json(TINY, &config(d_vocab)).err().expect("refused");
            assert_eq!(error.kind, ErrorKind::Tokenizer);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(Tokenizer::from_json(TINY, &config(1024)).is_ok(), "padding is allowed");
        let error = Tokenizer::from_json(b"{}", &config(989)).err().expect("refused");
        assert!(error.to_string().starts_with("tokenizer.json can't be read"), "{error}");
    }
}
