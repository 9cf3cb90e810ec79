//! Tokens with their texts, as they are written in results.

use serde::{Deserialize, Serialize};

use crate::model::Tokenizer;

/// A token and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabeledToken {
    /// The id.
    pub token: u32,
    /// The text. Bytes that are not valid UTF-8 are written as `\xE6`.
    pub text: String,
}

/// A token, its text, and a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenValue {
    /// The id.
    pub token: u32,
    /// The text, as in [`LabeledToken::text`].
    pub text: String,
    /// The number.
    pub value: f32,
}

impl LabeledToken {
    /// `token` as `tokenizer` has it.
    pub fn new(tokenizer: &Tokenizer, token: u32) -> Self {
        Self {
            token,
            text: tokenizer.label(token),
        }
    }
}

impl TokenValue {
    /// `token` as `tokenizer` has it, with `value`.
    pub fn new(tokenizer: &Tokenizer, (token, value): (u32, f32)) -> Self {
        let LabeledToken { token, text } = LabeledToken::new(tokenizer, token);
        Self { token, text, value }
    }

    /// All of `tokens`, in their order.
    pub fn all(tokenizer: &Tokenizer, tokens: Vec<(u32, f32)>) -> Vec<Self> {
        tokens.into_iter().map(|token| Self::new(tokenizer, token)).collect()
    }
}
