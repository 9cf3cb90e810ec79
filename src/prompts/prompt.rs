//! A prompt of any maker.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::names::PositionName;

/// The purpose, in [`Prompt::drawn`], of the token drawn from the whole vocabulary.
pub(crate) const RANDOM: &str = "random";

/// A prompt: a text, its tokens, and named positions. Also its entry in the result file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The whole text.
    pub text: String,
    /// The tokens, after BOS if there is one.
    pub tokens: Vec<u32>,
    /// Named positions, counted from 0 (BOS included, if there is one): `dest` (the query), `src` (the key), and
    /// others.
    pub positions: BTreeMap<PositionName, usize>,
    /// The two target tokens.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub targets: Targets,
    /// Names in the text by role, such as IO and S.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Random tokens drawn with the prompt, which do not occur in it, by purpose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drawn: BTreeMap<String, u32>,
}

/// The two tokens whose logits are compared at `dest`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// The correct token, or the one of most interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<u32>,
    /// The token it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<u32>,
}

impl Targets {
    /// Whether both are None.
    pub fn is_empty(&self) -> bool {
        self.a.is_none() && self.b.is_none()
    }
}

impl Prompt {
    /// The position called `name`, if it has one.
    pub fn position(&self, name: &PositionName) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Whether it is an IOI prompt, with an indirect object.
    pub fn is_ioi(&self) -> bool {
        self.names.contains_key(PositionName::Io.as_str())
    }

    /// The query position.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] where that is not said, or not one of its tokens'.
    pub fn dest(&self) -> Result<usize> {
        self.place(&PositionName::Dest)
    }

    /// The key position.
    ///
    /// # Errors
    /// As [`Prompt::dest`].
    pub fn src(&self) -> Result<usize> {
        self.place(&PositionName::Src)
    }

    /// The token at `src`.
    ///
    /// # Errors
    /// As [`Prompt::dest`].
    pub fn src_token(&self) -> Result<u32> {
        self.src().map(|src| self.tokens[src])
    }

    fn place(&self, name: &PositionName) -> Result<usize> {
        let place = self.position(name).filter(|position| *position < self.tokens.len());
        place.ok_or_else(|| {
            Error::new(ErrorKind::Prompt, format!("\"{}\" has no position {name}", self.text))
                .expected("one of its tokens")
        })
    }

    /// Checks that every named position is within its tokens. `number` is the prompt's number for error messages,
    /// counted from 1.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] naming the first position that is not.
    pub fn check(&self, number: usize) -> Result<()> {
        let outside = self
            .positions
            .iter()
            .find(|(_, position)| **position >= self.tokens.len());
        match outside {
            Some((name, position)) => {
                let cause = format!("position {name} of prompt {number} is {position}, outside the prompt");
                let expected = match self.tokens.len() {
                    0 => "a prompt with tokens".to_owned(),
                    count => format!("0 to {}", count - 1),
                };
                Err(Error::new(ErrorKind::ResultFile, cause).expected(expected))
            }
            None => Ok(()),
        }
    }
}
