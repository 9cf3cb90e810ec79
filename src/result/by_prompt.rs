//! All series that have a value per prompt.

use super::ResultFile;
use crate::names::{HistogramId, PromptSeries, Side};

impl ResultFile {
    /// Every series with a value per prompt, in the order of the prompts: those of the histograms, and the head's true
    /// scores and probabilities once. Empty for a result that is not of a run over prompts.
    ///
    /// While a run is in progress, only the first prompts have values.
    pub fn by_prompt(&self) -> Vec<(PromptSeries, &[f32])> {
        let mut all = Vec::new();
        for histogram in HistogramId::ALL {
            for (series, values) in self.series(histogram) {
                all.push((PromptSeries::new(histogram, series.clone()), values));
            }
            let truth = self.true_values(histogram);
            // They are the same for both sides.
            if !truth.is_empty() && histogram.side() == Side::Query {
                all.push((PromptSeries::new(histogram, histogram.true_values()), truth));
            }
        }
        all.retain(|(_, values)| !values.is_empty());
        all
    }

    /// The values of one of these series; None where it does not exist.
    pub fn values_by_prompt(&self, wanted: &PromptSeries) -> Option<&[f32]> {
        let mut all = self.by_prompt().into_iter();
        all.find_map(|(series, values)| (series == *wanted).then_some(values))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::names::SeriesId;

    #[test]
    fn every_series_of_a_run_is_there_once() {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        let result = ResultFile::from_json(bytes).expect("the recorded run");
        let all = result.by_prompt();
        let names: BTreeSet<String> = all.iter().map(|(series, _)| series.to_string()).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.len() > 12 && all.iter().all(|(_, values)| values.len() == 1200));
        let io = PromptSeries::new(HistogramId::KeysFixedProbs, SeriesId::WuIo);
        let values = result.values_by_prompt(&io).expect("values");
        assert_eq!(values, result.values(HistogramId::KeysFixedProbs, &SeriesId::WuIo));
        let other = PromptSeries::new(HistogramId::KeysFixedProbs, "another".into());
        assert_eq!(result.values_by_prompt(&other), None);
    }

    #[test]
    fn a_sentence_has_none() {
        let bytes = include_bytes!("../../tests/fixtures/tiny-sentence-2.1.json");
        let result = ResultFile::from_json(bytes).expect("a result");
        assert_eq!(result.by_prompt(), []);
    }
}
