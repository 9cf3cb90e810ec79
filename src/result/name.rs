//! Which of the four histograms.

use crate::error::{Error, ErrorKind, Result};
use crate::names::HistogramId;

/// One of the four histograms of a result, named as its field in version 1 of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistogramName {
    /// Scores with keys fixed: the query side's vector is substituted.
    KeysFixedScores,
    /// Probabilities of the same.
    KeysFixedProbs,
    /// Scores with queries fixed: the key side's vector is substituted.
    QueriesFixedScores,
    /// Probabilities of the same.
    QueriesFixedProbs,
}

impl HistogramName {
    /// All four, in the order in which they are shown.
    pub const fn all() -> [Self; 4] {
        [
            Self::KeysFixedScores,
            Self::KeysFixedProbs,
            Self::QueriesFixedScores,
            Self::QueriesFixedProbs,
        ]
    }

    /// The field's name in the result file: `keys_fixed_scores`, ...
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeysFixedScores => "keys_fixed_scores",
            Self::KeysFixedProbs => "keys_fixed_probs",
            Self::QueriesFixedScores => "queries_fixed_scores",
            Self::QueriesFixedProbs => "queries_fixed_probs",
        }
    }

    /// Whether keys are fixed, and the query side's vector is substituted.
    pub const fn keys_fixed(self) -> bool {
        matches!(self, Self::KeysFixedScores | Self::KeysFixedProbs)
    }

    /// Whether the values are probabilities, not scores.
    pub const fn probs(self) -> bool {
        matches!(self, Self::KeysFixedProbs | Self::QueriesFixedProbs)
    }
}

impl std::fmt::Display for HistogramName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for HistogramName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::all().into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::ResultFile, format!("\"{text}\" is not a histogram"))
                .expected(Self::all().map(Self::as_str).join(", "))
        })
    }
}

impl From<HistogramName> for HistogramId {
    fn from(name: HistogramName) -> Self {
        match name {
            HistogramName::KeysFixedScores => Self::KeysFixedScores,
            HistogramName::KeysFixedProbs => Self::KeysFixedProbs,
            HistogramName::QueriesFixedScores => Self::QueriesFixedScores,
            HistogramName::QueriesFixedProbs => Self::QueriesFixedProbs,
        }
    }
}
