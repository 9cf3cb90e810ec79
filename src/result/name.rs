//! The series of each histogram.

use crate::names::HistogramId;
use crate::result::{Histograms, SeriesSet};

impl Histograms {
    /// The series of `name`.
    pub fn get(&self, name: HistogramId) -> &SeriesSet {
        match name {
            HistogramId::KeysFixedScores => &self.keys_fixed_scores,
            HistogramId::KeysFixedProbs => &self.keys_fixed_probs,
            HistogramId::QueriesFixedScores => &self.queries_fixed_scores,
            HistogramId::QueriesFixedProbs => &self.queries_fixed_probs,
        }
    }

    /// The series of `name`, to fill in.
    pub fn get_mut(&mut self, name: HistogramId) -> &mut SeriesSet {
        match name {
            HistogramId::KeysFixedScores => &mut self.keys_fixed_scores,
            HistogramId::KeysFixedProbs => &mut self.keys_fixed_probs,
            HistogramId::QueriesFixedScores => &mut self.queries_fixed_scores,
            HistogramId::QueriesFixedProbs => &mut self.queries_fixed_probs,
        }
    }

    /// The head's true scores or probabilities, whichever `name` is about. Empty in recorded runs.
    pub fn true_values(&self, name: HistogramId) -> &[f32] {
        if name.probs() {
            &self.true_prob
        } else {
            &self.true_score
        }
    }
}
