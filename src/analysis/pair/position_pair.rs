//! A pair of positions in a sentence.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::forward::Model;
use crate::names::{Head, Side};

/// A pair of positions in a sentence, and a head that attends from one to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The sentence's tokens, `[pos]`.
    pub tokens: Vec<u32>,
    /// The query position.
    pub dest: usize,
    /// The key position; not after `dest`.
    pub src: usize,
    /// The head.
    pub head: Head,
}

impl Pair {
    /// The position whose vector `side` of the score is made from.
    pub(in crate::analysis) const fn position(&self, side: Side) -> usize {
        match side {
            Side::Query => self.dest,
            Side::Key => self.src,
        }
    }

    /// Checks it against `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head or positions that do not exist, and for a source after the destination;
    /// [`ErrorKind::Prompt`] for a sentence that does not fit the context.
    pub(super) fn check(&self, model: &Model) -> Result<()> {
        model.config().check_head(self.head)?;
        model.check_sequence(&self.tokens)?;
        let count = self.tokens.len();
        for (name, position) in [("destination", self.dest), ("source", self.src)] {
            if position >= count {
                let cause = format!("the {name} is position {position} of {count} tokens");
                let expected = format!("a position from 0 to {}", count.saturating_sub(1));
                return Err(Error::new(ErrorKind::Request, cause).expected(expected));
            }
        }
        if self.src > self.dest {
            let cause = format!("the source {} is after the destination {}", self.src, self.dest);
            return Err(Error::new(ErrorKind::Request, cause)
                .expected("a source at the destination or before it")
                .advice("Attention is causal: a head cannot attend to later tokens."));
        }
        Ok(())
    }
}
