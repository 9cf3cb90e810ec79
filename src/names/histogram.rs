//! The four histograms.

use std::fmt;
use std::str::FromStr;

use super::{SeriesId, Side};
use crate::error::{Error, ErrorKind, Result};

/// One of the four histograms of a result, named as its field in version 1 of the result file.
///
/// ```
/// use keyside::names::{HistogramId, Side};
///
/// let id: HistogramId = "keys_fixed_probs".parse()?;
/// assert!(id.probs() && id.side() == Side::Query);
/// # Ok::<(), keyside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistogramId {
    /// Scores with keys fixed: the query side's vector is substituted.
    KeysFixedScores,
    /// Probabilities of the same.
    KeysFixedProbs,
    /// Scores with queries fixed: the key side's vector is substituted.
    QueriesFixedScores,
    /// Probabilities of the same.
    QueriesFixedProbs,
}

impl HistogramId {
    /// All four, in display order.
    pub const ALL: [Self; 4] = [
        Self::KeysFixedScores,
        Self::KeysFixedProbs,
        Self::QueriesFixedScores,
        Self::QueriesFixedProbs,
    ];

    /// The text form: `keys_fixed_scores`, ...
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeysFixedScores => "keys_fixed_scores",
            Self::KeysFixedProbs => "keys_fixed_probs",
            Self::QueriesFixedScores => "queries_fixed_scores",
            Self::QueriesFixedProbs => "queries_fixed_probs",
        }
    }

    /// The histogram of scores with the vector of `side` substituted.
    pub const fn scores_of(side: Side) -> Self {
        match side {
            Side::Query => Self::KeysFixedScores,
            Side::Key => Self::QueriesFixedScores,
        }
    }

    /// The histogram of probabilities with the vector of `side` substituted.
    pub const fn probs_of(side: Side) -> Self {
        match side {
            Side::Query => Self::KeysFixedProbs,
            Side::Key => Self::QueriesFixedProbs,
        }
    }

    /// The side whose vector is substituted; the other one is fixed.
    pub const fn side(self) -> Side {
        match self {
            Self::KeysFixedScores | Self::KeysFixedProbs => Side::Query,
            Self::QueriesFixedScores | Self::QueriesFixedProbs => Side::Key,
        }
    }

    /// Whether keys are fixed, and the query side's vector is substituted.
    pub const fn keys_fixed(self) -> bool {
        matches!(self.side(), Side::Query)
    }

    /// Whether the values are probabilities, not scores.
    pub const fn probs(self) -> bool {
        match self {
            Self::KeysFixedProbs | Self::QueriesFixedProbs => true,
            Self::KeysFixedScores | Self::QueriesFixedScores => false,
        }
    }

    /// The series of its main claim, and the control series that it is compared with (other tokens as the substituted
    /// vector). For prompts of the IOI dataset first, then for others.
    pub const fn claims(self) -> &'static [(SeriesId, &'static [SeriesId])] {
        match self.side() {
            Side::Query => &[
                (
                    SeriesId::WuIo,
                    &[SeriesId::WuS, SeriesId::WuRandomName, SeriesId::WuRandom],
                ),
                (SeriesId::WuSrc, &[SeriesId::WuRandom]),
            ],
            Side::Key => &[
                (SeriesId::WeeIo, &[SeriesId::WeIo]),
                (SeriesId::WeeSrc, &[SeriesId::WuSrc]),
            ],
        }
    }

    /// The series of the head's true scores or probabilities, whichever it shows.
    pub const fn true_values(self) -> SeriesId {
        if self.probs() {
            SeriesId::TrueProbability
        } else {
            SeriesId::TrueScore
        }
    }
}

impl fmt::Display for HistogramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HistogramId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|id| id.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::ResultFile, format!("\"{text}\" is not a histogram"))
                .expected(Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_read_as_it_is_written() {
        for id in HistogramId::ALL {
            assert_eq!(id.to_string().parse(), Ok(id));
            let of_side = if id.probs() {
                HistogramId::probs_of(id.side())
            } else {
                HistogramId::scores_of(id.side())
            };
            assert_eq!(of_side, id);
            assert_eq!(id.keys_fixed(), id.as_str().starts_with("keys"));
            assert_eq!(id.probs(), id.as_str().ends_with("probs"));
        }
        assert_eq!(HistogramId::QueriesFixedProbs.true_values(), SeriesId::TrueProbability);
        assert_eq!(HistogramId::KeysFixedScores.true_values(), SeriesId::TrueScore);
    }

    #[test]
    fn what_is_no_histogram_is_an_error() {
        for text in ["", "keys_fixed", "key", "heatmap_key"] {
            let error = text.parse::<HistogramId>().expect_err(text);
            assert!(error.expected.contains("queries_fixed_probs"), "{error}");
        }
    }
}
