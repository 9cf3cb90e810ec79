//! `tokenizer.json`: byte-level BPE.

use crate::error::Result;
use crate::gpt2::Config;

/// A byte-level BPE tokenizer that has been checked against a model's vocabulary.
pub struct Tokenizer {}

impl Tokenizer {
    /// Reads `tokenizer.json` and checks that every id fits `config.d_vocab`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Tokenizer`] when it can't be read or has ids beyond the vocabulary.
    pub fn from_json(_bytes: &[u8], _config: &Config) -> Result<Self> {
        todo!("core")
    }

    /// Tokens of `text`, without BOS.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] when `text` does not tokenise.
    pub fn encode(&self, _text: &str) -> Result<Vec<u32>> {
        todo!("core")
    }

    /// The one token that `text` is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`], naming `text`, when it is more than one token or none.
    pub fn single_token(&self, _text: &str) -> Result<u32> {
        todo!("core")
    }

    /// The text of `token`, leading space included.
    pub fn token_text(&self, _token: u32) -> Option<String> {
        todo!("core")
    }

    /// The token that stands for the beginning of a text.
    pub fn bos_token(&self) -> u32 {
        todo!("core")
    }

    /// Entries of the model's vocabulary (`config.d_vocab`).
    pub fn d_vocab(&self) -> usize {
        todo!("core")
    }
}
