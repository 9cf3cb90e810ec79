//! Series with a value per prompt, identified by histogram and series.

use std::fmt;
use std::str::FromStr;

use super::{HistogramId, SeriesId};
use crate::error::{Error, ErrorKind, Result};

/// One series of one histogram, which has a value per prompt; written `keys_fixed_scores:W_U[IO]`.
///
/// ```
/// use keyside::names::{HistogramId, PromptSeries, SeriesId};
///
/// let series: PromptSeries = "keys_fixed_scores:No patching".parse()?;
/// assert_eq!(series, PromptSeries::new(HistogramId::KeysFixedScores, SeriesId::NoPatching));
/// # Ok::<(), keyside::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptSeries {
    /// The histogram: which side is substituted, and whether values are scores or probabilities.
    pub histogram: HistogramId,
    /// The series of it.
    pub series: SeriesId,
}

impl PromptSeries {
    /// `series` of `histogram`.
    pub const fn new(histogram: HistogramId, series: SeriesId) -> Self {
        Self { histogram, series }
    }

    /// Whether its values are comparable with those of `other`: both are scores, or both are probabilities.
    pub const fn has_unit_of(&self, other: &Self) -> bool {
        self.histogram.probs() == other.histogram.probs()
    }
}

impl fmt::Display for PromptSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.histogram, self.series))
    }
}

impl FromStr for PromptSeries {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once(':').filter(|(_, series)| !series.is_empty());
        let (histogram, series) = parts.ok_or_else(|| {
            Error::new(
                ErrorKind::ResultFile,
                format!("\"{text}\" is not a series of a histogram"),
            )
            .expected("a histogram and a series of it, as in keys_fixed_scores:W_U[IO]")
        })?;
        Ok(Self::new(histogram.parse()?, series.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for histogram in HistogramId::ALL {
            for series in [SeriesId::WuIo, SeriesId::TrueScore, "a:b, c".into()] {
                let prompt_series = PromptSeries::new(histogram, series);
                assert_eq!(prompt_series.to_string().parse(), Ok(prompt_series));
            }
        }
        for text in ["", "keys_fixed_scores", "keys_fixed_scores:", ":W_U[IO]", "key:W_U[IO]"] {
            assert!(text.parse::<PromptSeries>().is_err(), "{text}");
        }
    }

    #[test]
    fn scores_and_probabilities_have_units_of_their_own() {
        let no_patching = |histogram| PromptSeries::new(histogram, SeriesId::NoPatching);
        let scores = no_patching(HistogramId::KeysFixedScores);
        assert!(scores.has_unit_of(&no_patching(HistogramId::QueriesFixedScores)));
        assert!(!scores.has_unit_of(&no_patching(HistogramId::KeysFixedProbs)));
    }
}
