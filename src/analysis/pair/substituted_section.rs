//! Scores with substituted vectors in one sentence, as a section of a result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::{check_positions, check_probabilities};
use crate::analysis::{Array, OmittedSeries, SectionType, Series, Sides};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Head, HistogramId, Normalization, SeriesId, Side};

/// Scores and probabilities of one pair of positions with substituted vectors as the head's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubstitutedSection {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The earlier head whose output is one of the vectors; None if no layer is before the head's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_head: Option<Head>,
    /// How the vectors were normalized; as in the notebook if a file does not say it.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// The series of both sides: one value each, or one per token for [`SubstitutedSection::samples`].
    pub series: Sides,
    /// For series that are samples, the tokens in the order of their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub samples: BTreeMap<SeriesId, Vec<SampledToken>>,
    /// The head's own score.
    pub true_score: f32,
    /// The own probability.
    pub true_prob: f32,
    /// Omitted series, whose values are not finite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<OmittedSeries>,
    /// The results of a run over many prompts for the same head, for comparison, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunBands>,
}

/// A token of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledToken {
    /// The id.
    pub token: u32,
    /// The text, as in [`super::AttentionSection::texts`].
    pub text: String,
}

/// Summary of the series of a run over many prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunBands {
    /// Number of prompts.
    pub prompts: usize,
    /// Whether it is the recorded run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// The range of each histogram's series, by the series' name in any prompt.
    pub bands: BTreeMap<HistogramId, BTreeMap<SeriesId, Band>>,
}

/// The range of the values of one series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Their mean.
    pub mean: f32,
    /// Their 5th percentile.
    pub low: f32,
    /// Their 95th percentile.
    pub high: f32,
    /// The share of them below the sentence's own value; equal ones count half. None for samples, which have several
    /// values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f32>,
}

impl SubstitutedSection {
    /// The series that `histogram` shows, in the order of their labels: one value, or one for each token of a sample.
    pub fn series(&self, histogram: HistogramId) -> impl Iterator<Item = (&SeriesId, &[f32])> {
        let all = self.series.get(histogram.side()).iter();
        all.filter_map(move |(id, series)| Some((id, series.values(histogram)?)))
    }

    /// The head's own score or probability, whichever `histogram` shows.
    pub fn own(&self, histogram: HistogramId) -> f32 {
        if histogram.probs() {
            self.true_prob
        } else {
            self.true_score
        }
    }

    /// The tokens of `series`; empty if it is not a sample.
    pub fn sample(&self, series: &SeriesId) -> &[SampledToken] {
        self.samples.get(series).map_or(&[], Vec::as_slice)
    }

    /// The range of `series` of `histogram` in the run over many prompts.
    pub fn band(&self, histogram: HistogramId, series: &SeriesId) -> Option<Band> {
        self.run.as_ref()?.bands.get(&histogram)?.get(series).copied()
    }

    fn check_series(&self, side: Side, id: &SeriesId, series: &Series) -> Result<()> {
        let count = self.samples.get(id).map_or(1, Vec::len);
        for histogram in [HistogramId::scores_of(side), HistogramId::probs_of(side)] {
            let array = if histogram.probs() {
                &series.probabilities
            } else {
                &series.scores
            };
            let what = format!("substituted: {histogram}, series \"{id}\"");
            let array = array
                .as_ref()
                .filter(|_| count > 0)
                .ok_or_else(|| Error::new(ErrorKind::ResultFile, format!("{what} is missing or empty")))?;
            array.check(&what, &[count])?;
            if histogram.probs() {
                check_probabilities(&what, array.data())?;
            }
        }
        Ok(())
    }
}

impl RunBands {
    fn check(&self) -> Result<()> {
        let bands = self.bands.values().flat_map(BTreeMap::iter);
        for (series, Band { mean, low, high, below }) in bands {
            let finite = [mean, low, high].iter().all(|value| value.is_finite());
            if !finite || low > high || below.is_some_and(|below| !(0.0..=1.0).contains(&below)) {
                let cause = format!("substituted: the band of series \"{series}\" is no band");
                return Err(Error::new(ErrorKind::ResultFile, cause)
                    .expected("finite numbers, low at most high, a share from 0 to 1"));
            }
        }
        Ok(())
    }
}

impl SectionType for SubstitutedSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        if let Some(earlier) = self.earlier_head {
            config.check_head(earlier).map_err(Error::into_result_file_error)?;
        }
        check_positions(self.dest, self.src, None)?;
        for side in Side::ALL {
            for (id, series) in self.series.get(side) {
                self.check_series(side, id, series)?;
            }
        }
        let own = Array::vector(vec![self.true_score, self.true_prob]);
        own.check("substituted: the head's own values", &[2])?;
        check_probabilities("substituted: true_prob", &[self.true_prob])?;
        self.run.as_ref().map_or(Ok(()), RunBands::check)
    }
}
