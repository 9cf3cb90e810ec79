//! What a score is relative to.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

const MEAN: &str = "mean";
const ATTENTION: &str = "attention";

/// What a score is relative to, written "mean", "attention", or a position such as "3". (A constant added to the scores
/// of all keys does not change the softmax.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relative {
    /// The mean of all keys that the destination sees.
    Mean,
    /// The mean of these keys, weighted by the head's attention: the remainder is, to first order, the contribution to
    /// `ln pattern[dest, src]`.
    Attention,
    /// The key at one position.
    Position(usize),
}

impl fmt::Display for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.pad(MEAN),
            Self::Attention => f.pad(ATTENTION),
            Self::Position(position) => position.fmt(f),
        }
    }
}

impl FromStr for Relative {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            MEAN => Ok(Self::Mean),
            ATTENTION => Ok(Self::Attention),
            _ => text.parse().map(Self::Position).map_err(|_| {
                Error::new(
                    ErrorKind::Request,
                    format!("{text:?} is nothing that a score can be relative to"),
                )
                .expected(format!("{MEAN}, {ATTENTION} or a position such as 3"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for (relative, text) in [
            (Relative::Mean, "mean"),
            (Relative::Attention, "attention"),
            (Relative::Position(12), "12"),
        ] {
            assert_eq!((relative.to_string().as_str(), text.parse()), (text, Ok(relative)));
        }
        for text in ["", "-1", "Mean", "1.5"] {
            let error = text.parse::<Relative>().expect_err(text);
            assert!(error.expected.contains("mean"), "{error}");
        }
    }
}
