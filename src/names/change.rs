//! The quantities measured in every prompt with and without an intervention.

use std::fmt;

/// A quantity of a prompt that an intervention changes, written "attention", "logit_difference" and "logprob_a".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeMeasure {
    /// The head's attention from the destination to the source.
    Attention,
    /// The difference of the logits of two tokens after the destination.
    LogitDifference,
    /// The log-probability of the first of them.
    LogprobA,
}

impl ChangeMeasure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Attention, Self::LogitDifference, Self::LogprobA];

    /// "attention", "logit_difference" or "logprob_a".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::LogitDifference => "logit_difference",
            Self::LogprobA => "logprob_a",
        }
    }
}

impl fmt::Display for ChangeMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
