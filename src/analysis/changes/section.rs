//! The effects of an intervention, prompt by prompt, as a section of a result.

use serde::{Deserialize, Serialize};

use super::intervention::RunIntervention;
use crate::analysis::pair::LabeledToken;
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{ChangeMeasure, Head};

/// The effects of an intervention on every prompt of a run, recomputed to the end of the model, and the linear
/// prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangesSection {
    /// The head whose attention from the destination to the source is measured.
    pub head: Head,
    /// The intervention.
    pub intervention: RunIntervention,
    /// For each prompt the token `a` of the logit difference: a target of the prompt, or the most likely next token.
    pub a: Vec<LabeledToken>,
    /// The token `b` of the logit difference.
    pub b: Vec<LabeledToken>,
    /// Without the intervention.
    pub before: Outcomes,
    /// With the intervention, recomputed.
    pub after: Outcomes,
    /// With the intervention, as linearly predicted.
    pub predicted: PredictedOutcomes,
}

/// Measured values of every prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Attention of the head from the destination to the source, `[prompts]`.
    pub attention: Array,
    /// `logit(a) - logit(b)` after the destination, `[prompts]`.
    pub logit_difference: Array,
    /// Log-probability of `a` after the destination, `[prompts]`.
    pub logprob_a: Array,
}

/// Linear predictions for every prompt: the scales of LayerNorm are frozen, and the head's output takes
/// the direct path to the logits. If the intervention is at another head, the direct path is that head's, and the
/// attention of the measured head does not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedOutcomes {
    /// Attention of the head from the destination to the source, `[prompts]`.
    pub attention: Array,
    /// `logit(a) - logit(b)` after the destination, `[prompts]`.
    pub logit_difference: Array,
}

impl Outcomes {
    fn empty() -> Self {
        let none = || Array::vector(Vec::new());
        Self {
            attention: none(),
            logit_difference: none(),
            logprob_a: none(),
        }
    }

    /// The numbers of `measure`, `[prompts]`.
    pub fn of(&self, measure: ChangeMeasure) -> &[f32] {
        match measure {
            ChangeMeasure::Attention => self.attention.data(),
            ChangeMeasure::LogitDifference => self.logit_difference.data(),
            ChangeMeasure::LogprobA => self.logprob_a.data(),
        }
    }

    /// Appends the values of one more prompt.
    pub(crate) fn push(&mut self, [attention, logit_difference, logprob_a]: [f32; 3]) {
        self.attention.extend([attention]);
        self.logit_difference.extend([logit_difference]);
        self.logprob_a.extend([logprob_a]);
    }

    fn append(&mut self, more: &Self) {
        self.attention.extend(more.attention.data().iter().copied());
        self.logit_difference
            .extend(more.logit_difference.data().iter().copied());
        self.logprob_a.extend(more.logprob_a.data().iter().copied());
    }
}

impl ChangesSection {
    /// A section without prompts, for `intervention` with `head` as the measured head.
    pub fn empty(head: Head, intervention: RunIntervention) -> Self {
        let none = || Array::vector(Vec::new());
        Self {
            head,
            intervention,
            a: Vec::new(),
            b: Vec::new(),
            before: Outcomes::empty(),
            after: Outcomes::empty(),
            predicted: PredictedOutcomes {
                attention: none(),
                logit_difference: none(),
            },
        }
    }

    /// Number of prompts: those of the run, or the first ones if the run was stopped.
    pub fn prompts(&self) -> usize {
        self.a.len()
    }

    /// Recomputed value minus the original one, `[prompts]`.
    pub fn change(&self, measure: ChangeMeasure) -> Vec<f32> {
        minus(self.after.of(measure), self.before.of(measure))
    }

    /// Predictions of `measure`, `[prompts]`; None where there is no linear prediction.
    pub fn predicted(&self, measure: ChangeMeasure) -> Option<&[f32]> {
        match measure {
            ChangeMeasure::Attention => Some(self.predicted.attention.data()),
            ChangeMeasure::LogitDifference => Some(self.predicted.logit_difference.data()),
            ChangeMeasure::LogprobA => None,
        }
    }

    /// The predicted change, `[prompts]`.
    pub fn predicted_change(&self, measure: ChangeMeasure) -> Option<Vec<f32>> {
        Some(minus(self.predicted(measure)?, self.before.of(measure)))
    }

    /// Appends the prompts of one more batch.
    pub fn append(&mut self, more: &Self) {
        self.a.extend(more.a.iter().cloned());
        self.b.extend(more.b.iter().cloned());
        self.before.append(&more.before);
        self.after.append(&more.after);
        let predicted = &more.predicted;
        self.predicted
            .attention
            .extend(predicted.attention.data().iter().copied());
        self.predicted
            .logit_difference
            .extend(predicted.logit_difference.data().iter().copied());
    }

    /// All arrays with their names.
    fn arrays(&self) -> impl Iterator<Item = (&'static str, &Array)> {
        [
            ("changes: before: attention", &self.before.attention),
            ("changes: before: logit_difference", &self.before.logit_difference),
            ("changes: before: logprob_a", &self.before.logprob_a),
            ("changes: after: attention", &self.after.attention),
            ("changes: after: logit_difference", &self.after.logit_difference),
            ("changes: after: logprob_a", &self.after.logprob_a),
            ("changes: predicted: attention", &self.predicted.attention),
            ("changes: predicted: logit_difference", &self.predicted.logit_difference),
        ]
        .into_iter()
    }

    /// Whether all numbers are finite.
    pub(crate) fn is_finite(&self) -> bool {
        let mut arrays = self.arrays();
        arrays.all(|(_, array)| array.data().iter().all(|value| value.is_finite()))
    }
}

fn minus(left: &[f32], right: &[f32]) -> Vec<f32> {
    left.iter().zip(right).map(|(left, right)| left - right).collect()
}

impl SectionType for ChangesSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        // The intervention was applied already: whether there are prompts enough for a mean is not checked again.
        self.intervention
            .check(self.head, config, usize::MAX)
            .map_err(Error::into_result_file_error)?;
        let count = self.prompts();
        if count == 0 || count > prompts || self.b.len() != count {
            let cause = format!(
                "changes: there are {count} tokens a and {} tokens b for {prompts} prompts",
                self.b.len()
            );
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("equally many tokens a and b, at least 1, and at most one per prompt"));
        }
        let mut tokens = self.a.iter().chain(&self.b);
        if let Some(token) = tokens.find(|token| token.token as usize >= config.d_vocab) {
            let cause = format!("changes: there is no token {}", token.token);
            return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("below {}", config.d_vocab)));
        }
        self.arrays().try_for_each(|(what, array)| array.check(what, &[count]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> ChangesSection {
        let head = Head::new(1, 0);
        let mut section = ChangesSection::empty(head, "query without 0.1".parse().expect("an intervention"));
        let token = |token| LabeledToken {
            token,
            text: String::new(),
        };
        for prompt in 0..3u8 {
            let offset = f32::from(prompt);
            section.a.push(token(1));
            section.b.push(token(2));
            section.before.push([0.5, offset, -1.0]);
            section.after.push([0.25, offset - 1.0, -2.0 - offset]);
            section.predicted.attention.extend([0.375]);
            section.predicted.logit_difference.extend([offset + 0.5]);
        }
        section
    }

    fn config() -> Config {
        serde_json::from_str(
            r#"{"n_layer": 2, "n_head": 2, "d_model": 4, "n_ctx": 8, "d_vocab": 9, "d_mlp": 16, "layer_norm_epsilon": 1e-5}"#,
        )
        .expect("a configuration")
    }

    #[test]
    fn changes_are_after_minus_before() {
        let section = section();
        assert_eq!(section.change(ChangeMeasure::Attention), [-0.25; 3]);
        assert_eq!(section.change(ChangeMeasure::LogprobA), [-1.0, -2.0, -3.0]);
        assert_eq!(
            section.predicted_change(ChangeMeasure::LogitDifference),
            Some(vec![0.5; 3])
        );
        assert_eq!(section.predicted_change(ChangeMeasure::LogprobA), None);
        let mut twice = section.clone();
        twice.append(&section);
        assert_eq!(twice.prompts(), 6);
        assert_eq!(twice.change(ChangeMeasure::Attention), [-0.25; 6]);
    }

    #[test]
    fn sections_that_do_not_fit_are_refused() {
        let config = config();
        assert_eq!(section().check(&config, 3), Ok(()));
        assert_eq!(
            section().check(&config, 5),
            Ok(()),
            "the first prompts of a run that was cancelled"
        );
        let refused = |change: fn(&mut ChangesSection), prompts: usize| {
            let mut section = section();
            change(&mut section);
            section.check(&config, prompts).expect_err("does not fit").to_string()
        };
        assert!(refused(|_| {}, 2).contains("3 tokens a and 3 tokens b for 2 prompts"));
        assert!(refused(|section| drop(section.b.pop()), 3).contains("2 tokens b"));
        assert!(refused(|section| section.a[0].token = 9, 3).contains("no token 9"));
        assert!(refused(|section| section.head = Head::new(2, 0), 3).contains("2.0"));
        assert!(refused(|section| section.head = Head::new(0, 0), 3).contains("head 0.1 is nothing"));
        assert!(refused(|section| section.after.attention.extend([0.0]), 3).contains("changes: after: attention"));
        let infinite = refused(|section| section.before.logprob_a.data_mut()[1] = f32::NEG_INFINITY, 3);
        assert!(infinite.contains("value 1 is -inf"), "{infinite}");
    }
}
