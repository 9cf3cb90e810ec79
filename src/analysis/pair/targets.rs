//! The two target tokens whose logits are compared.

use serde::{Deserialize, Serialize};

use super::attention::likeliest;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, Tokenizer};
use crate::prompts::Targets;

/// Number of the most likely tokens that suffices to choose two targets.
pub(in crate::analysis) const LIKELIEST: usize = 3;

/// Two tokens whose logits are compared: `logit(a) - logit(b)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// The first token.
    pub a: u32,
    /// The second token.
    pub b: u32,
}

impl Between {
    /// The `wanted` tokens; None is replaced by the most likely other token of `log_probs [d_vocab]`.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] where they are the same, or not in the vocabulary.
    pub fn of(wanted: Targets, log_probs: &[f32], config: &Config) -> Result<Self> {
        let likeliest = likeliest(log_probs, LIKELIEST).into_iter().map(|(token, _)| token);
        Self::among(wanted, likeliest, config)
    }

    /// The same, given only the most likely tokens `likeliest`: at least [`LIKELIEST`], unless the vocabulary has
    /// fewer.
    ///
    /// # Errors
    /// As [`Between::of`].
    pub(in crate::analysis) fn among(
        wanted: Targets,
        likeliest: impl IntoIterator<Item = u32>,
        config: &Config,
    ) -> Result<Self> {
        let mut others = likeliest.into_iter();
        let mut other = |known: Option<u32>| others.find(|token| known != Some(*token));
        let a = wanted.a.or_else(|| other(wanted.b));
        let b = wanted.b.or_else(|| other(a));
        // With a vocabulary of one token, both are the same, which the check rejects.
        let found = Self {
            a: a.unwrap_or_default(),
            b: b.unwrap_or_default(),
        };
        found.check(config)?;
        Ok(found)
    }

    /// `logit(a) - logit(b)`, given the log-probabilities `log_probs [d_vocab]` of the next token.
    pub(super) fn difference(self, log_probs: &[f32]) -> f64 {
        let log_prob = |token: u32| f64::from(log_probs.get(token as usize).copied().unwrap_or_default());
        log_prob(self.a) - log_prob(self.b)
    }

    /// Checks that they are two different tokens of the vocabulary.
    ///
    /// # Errors
    /// As [`Between::of`].
    pub(super) fn check(self, config: &Config) -> Result<()> {
        let count = config.d_vocab;
        if let Some(token) = [self.a, self.b].into_iter().find(|token| *token as usize >= count) {
            let cause = format!("there is no token {token} in a vocabulary of {count}");
            return Err(Error::new(ErrorKind::Target, cause).expected(format!("an id from 0 to {}", count - 1)));
        }
        if self.a == self.b {
            let cause = format!("token {} is held against itself", self.a);
            return Err(Error::new(ErrorKind::Target, cause)
                .expected("two different tokens")
                .advice("The difference of a logit and itself is 0, whatever is written."));
        }
        Ok(())
    }
}

impl From<Between> for Targets {
    fn from(between: Between) -> Self {
        Self {
            a: Some(between.a),
            b: Some(between.b),
        }
    }
}

/// Two targets as typed by the user: each an id, or a text that is a single token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetTexts {
    /// Replaces [`Targets::a`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<String>,
    /// Replaces [`Targets::b`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<String>,
}

impl TargetTexts {
    /// Whether both are empty.
    pub fn is_empty(&self) -> bool {
        self.a.is_none() && self.b.is_none()
    }

    /// The tokens; those of `otherwise` where nothing is typed.
    ///
    /// # Errors
    /// Those of [`token_of`].
    pub(super) fn tokens(&self, tokenizer: &Tokenizer, otherwise: Targets) -> Result<Targets> {
        let token = |text: &Option<String>, otherwise: Option<u32>| match text {
            Some(text) => token_of(tokenizer, text).map(Some),
            None => Ok(otherwise),
        };
        Ok(Targets {
            a: token(&self.a, otherwise.a)?,
            b: token(&self.b, otherwise.b)?,
        })
    }
}

/// The token that `given` denotes: an id, or a text that is a single token.
///
/// # Errors
/// [`ErrorKind::Target`] that says how another text tokenizes.
pub fn token_of(tokenizer: &Tokenizer, given: &str) -> Result<u32> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    let tokens = tokenizer.encode(given)?;
    if let [token] = tokens[..] {
        return Ok(token);
    }
    let parts: Vec<String> = tokens
        .iter()
        .map(|&token| format!("{:?}", tokenizer.label(token)))
        .collect();
    let cause = match parts.len() {
        0 => format!("{given:?} is no token"),
        count => format!("{given:?} is {count} tokens: {}", parts.join(", ")),
    };
    Err(Error::new(ErrorKind::Target, cause)
        .expected("an id, or a text that is one token")
        .advice("Most words have a space before them: \" Mary\"."))
}
