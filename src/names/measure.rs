//! The quantities of a pair of positions measured with and without an intervention.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// A quantity of a pair of positions that an intervention changes, written "score", "ln_attention" and
/// "logit_difference".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// The head's score from the destination to the source.
    Score,
    /// The logarithm of its attention from the destination to the source.
    LnAttention,
    /// The difference of the logits of two tokens after the destination.
    LogitDifference,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Score, Self::LnAttention, Self::LogitDifference];

    /// "score", "ln_attention" or "logit_difference".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::LnAttention => "ln_attention",
            Self::LogitDifference => "logit_difference",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Measure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|measure| measure.as_str() == text);
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::Request,
                format!("{text:?} is nothing that an intervention is measured by"),
            )
            .expected(Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_read_as_it_is_written() {
        for measure in Measure::ALL {
            assert_eq!(measure.to_string().parse(), Ok(measure));
        }
        let error = "attention".parse::<Measure>().expect_err("no measure");
        assert_eq!(error.expected, "score, ln_attention, logit_difference");
    }
}
