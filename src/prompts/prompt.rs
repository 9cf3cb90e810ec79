//! A prompt, whatever made it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::names::PositionName;

/// What the token is for that is drawn from the whole vocabulary, among a prompt's [`Prompt::drawn`].
pub(crate) const RANDOM: &str = "random";

/// A prompt: a text, its tokens, and what stands where. Also its entry in the result file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The whole text.
    pub text: String,
    /// Its tokens, after BOS if there is one.
    pub tokens: Vec<u32>,
    /// Where named tokens stand, counted from 0 (BOS included, if there is one): `dest`, where the head looks from, `src`,
    /// where it looks to, and others by name.
    pub positions: BTreeMap<PositionName, usize>,
    /// The tokens between which the model decides.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub targets: Targets,
    /// Names in the text by the part that they play, such as IO and S.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Tokens that were drawn with the prompt and do not stand in it, by what they are for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drawn: BTreeMap<String, u32>,
}

/// The tokens between which a model decides at `dest`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// The one that is right, or of most interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<u32>,
    /// The one that it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<u32>,
}

impl Targets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.a.is_none() && self.b.is_none()
    }
}

impl Prompt {
    /// Where the token `name` stands, if it has that name.
    pub fn position(&self, name: &PositionName) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// Whether it is of the IOI dataset, with an indirect object.
    pub fn is_ioi(&self) -> bool {
        self.names.contains_key(PositionName::Io.as_str())
    }

    /// Where the head looks from.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] where that is not said, or not one of its tokens'.
    pub fn dest(&self) -> Result<usize> {
        self.place(&PositionName::Dest)
    }

    /// Where the head looks to.
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

    /// Checks that every named position is one of its tokens'; `number` is the prompt's, counted from 1.
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
