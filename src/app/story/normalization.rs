//! The effect of the notebook's normalization on a score, seen in the series with the head's own vector.

use super::{BASE, HistogramFacts, both};
use crate::names::SeriesId;
use crate::quantities::{counted, number};
use crate::result::{BoxStats, two_groups};

/// Differences up to this are rounding errors of single precision.
const NOTHING: f64 = 1e-5;

impl HistogramFacts<'_> {
    /// A sentence about how much the notebook's normalization of the head's own residual stream changes the score. None
    /// with exact LayerNorm, without the head's own scores, for fewer than two prompts, and where nothing differs.
    pub(super) fn normalization(&self) -> Option<String> {
        let section = self.result.substitution()?;
        if section.normalization.is_exact() {
            return None;
        }
        let (base, own) = (self.find(&BASE)?.values, section.true_values(self.name));
        if base.len() != own.len() {
            return None;
        }
        let differences: Vec<f32> = base.iter().zip(own).map(|(base, own)| base - own).collect();
        let found = BoxStats::of(&differences)?;
        let deviation = found.standard_deviation?;
        let largest = found.max.abs().max(found.min.abs());
        if largest < NOTHING {
            return None;
        }
        // Two digits of the largest difference.
        let decimals = (2..6).find(|&decimals| largest * 10f64.powi(decimals) >= 9.5);
        let format = |value: f64| number(value, decimals.unwrap_or(6) as usize);
        let mean = match two_groups(&differences) {
            Some(groups) => format!("falls into two groups, {}", both(&groups, |value| number(value, 4))),
            None => format!("is {} on average", format(found.mean)),
        };
        Some(format!(
            "The notebook\u{2019}s normalization leaves out centering and eps: {BASE} minus the {} {mean} (standard deviation {}, from {} to {}, \
             {}); with exact LayerNorm it is 0.",
            SeriesId::TrueScore,
            format(deviation),
            format(found.min),
            format(found.max),
            counted(found.count, "prompt", "prompts")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Array;
    use crate::figure::View;
    use crate::names::{HistogramId, Normalization};
    use crate::result::{ResultFile, at_once};

    const SCORES: HistogramId = HistogramId::KeysFixedScores;

    /// The recorded run with own scores added: those of "No patching" minus `differences`, repeated.
    fn differing(differences: &[f32], prompts: usize) -> ResultFile {
        let bytes = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
        let mut result = ResultFile::from_json(bytes).expect("the recorded run");
        let section = result.substitution_mut().expect("a section");
        let base = section.values(SCORES, &BASE).expect("it is there")[..prompts].to_vec();
        let own = base.iter().zip(differences.iter().cycle()).map(|(base, by)| base - by);
        section.true_score = Some(Array::vector(own.collect()));
        let scores = Some(Array::vector(base));
        section.series.query.get_mut(&BASE).expect("it is there").scores = scores;
        result
    }

    fn description(result: &ResultFile) -> Option<String> {
        let all = crate::app::story::histogram(result, SCORES, &View::default(), &at_once(result));
        all.into_iter().find(|text| text.contains("normalization"))
    }

    #[test]
    fn what_normalization_does_is_told_in_the_numbers_of_the_run() {
        let differences: Vec<f32> = (0..36)
            .map(|index| -0.02 - 0.001 * (index / 6 + index % 6) as f32)
            .collect();
        let n = 4 * 36;
        let text = description(&differing(&differences, n)).expect("a sentence");
        let mean = differences.iter().map(|&by| f64::from(by)).sum::<f64>() / 36.0;
        let squares: f64 = differences.iter().map(|&by| (f64::from(by) - mean).powi(2)).sum();
        let deviation = (4.0 * squares / (n as f64 - 1.0)).sqrt();
        let least = differences.iter().copied().fold(0f32, f32::min);
        for part in [
            format!("No patching minus the true score is {} on average", number(mean, 3)),
            format!("standard deviation {}", number(deviation, 3)),
            format!(
                "from {} to {}, {n} prompts",
                number(f64::from(least), 3),
                number(-0.02, 3)
            ),
        ] {
            assert!(text.contains(&part), "{part}: {text}");
        }
        assert!(text.contains("\u{2212}0.0"), "{text}");
        // A mean between two groups is described as such.
        let text = description(&differing(&[-0.01, 0.03, -0.011, 0.031], 100)).expect("a sentence");
        assert!(
            text.contains("two groups, 50 prompts around \u{2212}0.0105 and 50 around 0.0305")
                && !text.contains("average"),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_told_of_it_where_it_does_nothing_or_is_not_known() {
        let known = differing(&[0.01, 0.02], 40);
        assert!(description(&known).is_some());
        let mut exact = known.clone();
        exact.substitution_mut().expect("a section").normalization = Normalization::LayerNorm;
        let mut unknown = known.clone();
        unknown.substitution_mut().expect("a section").true_score = None;
        for silent in [exact, unknown, differing(&[0.0], 40), differing(&[0.01], 1)] {
            assert_eq!(description(&silent), None);
        }
        // Probabilities have the sentence of their scores.
        let probs =
            crate::app::story::histogram(&known, HistogramId::KeysFixedProbs, &View::default(), &at_once(&known));
        assert!(!probs.concat().contains("normalization"));
    }
}
