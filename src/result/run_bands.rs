//! Compares a sentence with a run over many prompts: ranges of the run's series, and the sentence's place in them.

use std::collections::BTreeMap;

use super::{ResultFile, mean, percentile};
use crate::analysis::pair::{Band, RunBands};
use crate::analysis::{SubstitutedSection, SubstitutionSection};
use crate::names::{HistogramId, SeriesId};

impl ResultFile {
    /// The ranges of this run's series, for comparison with `sentence`. None where it has none, is about another head,
    /// or normalizes vectors differently. `recorded`: whether it is the recorded run.
    pub fn bands(&self, sentence: &SubstitutedSection, recorded: bool) -> Option<RunBands> {
        let is_alike =
            |run: &&SubstitutionSection| (run.head, run.normalization) == (sentence.head, sentence.normalization);
        let run = self.substitution().filter(is_alike)?;
        let mut bands = BTreeMap::new();
        for histogram in HistogramId::ALL {
            let named = run.series(histogram).filter_map(|(series, values)| {
                let series = series.of_any_prompt();
                let own = match sentence.series(histogram).find(|(id, _)| **id == series)? {
                    (id, &[own]) if sentence.sample(id).is_empty() => Some(own),
                    _ => None,
                };
                Some((series, band(values, own)?))
            });
            let named: BTreeMap<SeriesId, Band> = named.collect();
            if !named.is_empty() {
                bands.insert(histogram, named);
            }
        }
        let prompts = self.prompt_count();
        (!bands.is_empty()).then_some(RunBands {
            prompts,
            recorded,
            bands,
        })
    }
}

/// The range of `values`, and the share of them below `own`.
fn band(values: &[f32], own: Option<f32>) -> Option<Band> {
    let below = |own: f32| {
        let lower = values.iter().filter(|value| **value < own).count() as f32;
        let equal = values.iter().filter(|value| **value == own).count() as f32;
        (lower + equal / 2.0) / values.len() as f32
    };
    Some(Band {
        mean: mean(values)? as f32,
        low: percentile(values, 0.05)? as f32,
        high: percentile(values, 0.95)? as f32,
        below: own.map(below),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_band_is_mean_and_percentiles_and_the_share_below() {
        let values: Vec<f32> = (0..100).map(|value| value as f32).collect();
        let found = band(&values, Some(20.0)).unwrap();
        assert_eq!((found.mean, found.low, found.high), (49.5, 4.5, 94.5));
        assert_eq!(found.below, Some(0.205));
        assert_eq!(band(&values, Some(-1.0)).unwrap().below, Some(0.0));
        assert_eq!(band(&values, Some(100.0)).unwrap().below, Some(1.0));
        assert_eq!(band(&values, None).unwrap().below, None);
        assert_eq!(band(&[], Some(1.0)), None);
    }
}
