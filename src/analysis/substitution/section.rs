//! Scores with substituted vectors: the section behind the histograms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::{Array, BatchValues, OmittedSeries, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Head, HistogramId, Normalization, SeriesId, Side};

/// Scores dest -> src and their probabilities with substituted vectors as the head's input, prompt by prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubstitutionSection {
    /// The head.
    pub head: Head,
    /// The earlier head whose output is one of the substituted vectors.
    pub earlier_head: Head,
    /// How the vectors were normalized; as in the notebook if a file does not say it.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// The series of both sides.
    pub series: Sides,
    /// The head's true score, `[prompts]`. None in recorded runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_score: Option<Array>,
    /// The head's true probability, `[prompts]`. None in recorded runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_prob: Option<Array>,
    /// Omitted series, whose values are not finite in some prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<OmittedSeries>,
}

/// The series by the side whose vector is substituted; the other side is fixed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// Keys are fixed, the vector the query is made from is substituted.
    pub query: BTreeMap<SeriesId, Series>,
    /// Queries are fixed, the vector the key is made from is substituted.
    pub key: BTreeMap<SeriesId, Series>,
}

/// Values with one substituted vector.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Scores, `[prompts]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Array>,
    /// Probabilities, `[prompts]`: after the softmax, with the other scores of the row unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Array>,
}

impl Sides {
    /// The series with the vector of `side` substituted.
    pub fn get(&self, side: Side) -> &BTreeMap<SeriesId, Series> {
        match side {
            Side::Query => &self.query,
            Side::Key => &self.key,
        }
    }

    /// The same, to change.
    pub fn get_mut(&mut self, side: Side) -> &mut BTreeMap<SeriesId, Series> {
        match side {
            Side::Query => &mut self.query,
            Side::Key => &mut self.key,
        }
    }

    /// Appends `values` to a series that `histogram` shows.
    pub(crate) fn extend(&mut self, histogram: HistogramId, series: SeriesId, values: &[f32]) {
        let series = self.get_mut(histogram.side()).entry(series).or_default();
        append(series.values_mut(histogram), values);
    }
}

impl Series {
    /// Scores or probabilities, whichever `histogram` shows.
    pub fn values(&self, histogram: HistogramId) -> Option<&[f32]> {
        let array = if histogram.probs() {
            &self.probabilities
        } else {
            &self.scores
        };
        array.as_ref().map(Array::data)
    }

    /// The same, to fill in.
    pub fn values_mut(&mut self, histogram: HistogramId) -> &mut Option<Array> {
        if histogram.probs() {
            &mut self.probabilities
        } else {
            &mut self.scores
        }
    }
}

impl SubstitutionSection {
    /// An empty section for `head` and `earlier_head`.
    pub fn empty(head: Head, earlier_head: Head, normalization: Normalization) -> Self {
        Self {
            head,
            earlier_head,
            normalization,
            series: Sides::default(),
            true_score: None,
            true_prob: None,
            left_out: Vec::new(),
        }
    }

    /// The series that `histogram` shows, in the order of their labels, with a value per prompt.
    pub fn series(&self, histogram: HistogramId) -> impl Iterator<Item = (&SeriesId, &[f32])> {
        let all = self.series.get(histogram.side()).iter();
        all.filter_map(move |(id, series)| Some((id, series.values(histogram)?)))
    }

    /// The values of one series that `histogram` shows, `[prompts]`.
    pub fn values(&self, histogram: HistogramId, series: &SeriesId) -> Option<&[f32]> {
        self.series.get(histogram.side()).get(series)?.values(histogram)
    }

    /// The head's true scores or probabilities, whichever `histogram` shows. Empty in recorded runs.
    pub fn true_values(&self, histogram: HistogramId) -> &[f32] {
        let array = if histogram.probs() {
            &self.true_prob
        } else {
            &self.true_score
        };
        array.as_ref().map(Array::data).unwrap_or_default()
    }

    /// Appends `values`, a value per prompt, to a series that `histogram` shows.
    pub fn extend(&mut self, histogram: HistogramId, series: SeriesId, values: &[f32]) {
        self.series.extend(histogram, series, values);
    }

    /// Appends the values of one more batch. A series that is omitted in any batch is omitted altogether.
    pub fn append(&mut self, batch: &BatchValues) {
        for new in &batch.left_out {
            OmittedSeries::add(&mut self.left_out, new.clone());
        }
        for (histogram, series) in &batch.series {
            for (id, values) in series {
                self.extend(*histogram, id.clone(), values);
            }
        }
        for (array, values) in [
            (&mut self.true_score, &batch.true_score),
            (&mut self.true_prob, &batch.true_prob),
        ] {
            if !values.is_empty() {
                append(array, values);
            }
        }
        for OmittedSeries { side, series, .. } in &self.left_out {
            match side {
                Some(side) => drop(self.series.get_mut(*side).remove(series)),
                None => (self.true_score, self.true_prob) = (None, None),
            }
        }
    }

    /// All arrays with their names.
    fn arrays(&self) -> impl Iterator<Item = (String, &Array)> {
        let of_side = |side: Side| {
            let all = self.series.get(side).iter();
            all.flat_map(move |(id, series)| {
                let scores = series
                    .scores
                    .as_ref()
                    .map(|array| (HistogramId::scores_of(side), array));
                let probs = series
                    .probabilities
                    .as_ref()
                    .map(|array| (HistogramId::probs_of(side), array));
                let named = move |(histogram, array)| (format!("{histogram}, series \"{id}\""), array);
                scores.into_iter().chain(probs).map(named)
            })
        };
        let truth = [("true_score", &self.true_score), ("true_prob", &self.true_prob)];
        let truth = truth
            .into_iter()
            .filter_map(|(name, array)| Some((name.to_owned(), array.as_ref()?)));
        Side::ALL.into_iter().flat_map(of_side).chain(truth)
    }
}

fn append(array: &mut Option<Array>, values: &[f32]) {
    let array = array.get_or_insert_with(|| Array::vector(Vec::new()));
    array.extend(values.iter().copied());
}

impl SectionType for SubstitutionSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn prompt_count(&self) -> Option<usize> {
        let (_, array) = self.arrays().next()?;
        array.shape().first().copied()
    }

    fn check(&self, config: &Config, prompts: usize) -> Result<()> {
        config.check_head(self.head)?;
        config.check_head(self.earlier_head)?;
        if let Some(left_out) = self.left_out.iter().find(|left_out| left_out.prompts > prompts) {
            let cause = format!(
                "series \"{}\" is left out in {} prompts",
                left_out.series, left_out.prompts
            );
            return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("at most {prompts}, the run's")));
        }
        self.arrays()
            .try_for_each(|(what, array)| array.check(&what, &[prompts]))
    }
}
