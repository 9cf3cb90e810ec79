//! Interventions as a section of a result.

use serde::{Deserialize, Serialize};

use super::intervention::Intervention;
use crate::analysis::SectionType;
use crate::analysis::pair::check::{check_finite, check_positions, check_probabilities, check_targets};
use crate::analysis::pair::sections::check_next;
use crate::analysis::pair::{LabeledToken, NextToken};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Head, Normalization};

/// The effects of interventions at a pair of positions of a sentence, recomputed to the end of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterventionSection {
    /// The head of the pair.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The first token of the logit difference.
    pub a: LabeledToken,
    /// The second token.
    pub b: LabeledToken,
    /// The texts of the second sentence's tokens, `[pos]`, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Vec<String>>,
    /// Number of a run's prompts over which means were taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompts: usize,
    /// How vectors that replace the head's input were normalized; as in the notebook if a file does not say it.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// In how many of those prompts the tokens at destination and source equal the pair's: `[dest, src]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_tokens: Option<[usize; 2]>,
    /// The outcome without intervention.
    pub before: Outcome,
    /// Each intervention, applied separately.
    pub effects: Vec<Effect>,
}

/// The effect of an intervention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The intervention.
    pub intervention: Intervention,
    /// The outcome with it, recomputed.
    pub after: Outcome,
    /// The linear prediction.
    pub predicted: Predicted,
}

/// Measured values of a pair, with or without an intervention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Attention of the head from the destination, `[dest + 1]`. If the pattern itself is set, it need not sum to 1.
    pub row: Vec<f32>,
    /// Score of the head from the destination to the source.
    pub score: f32,
    /// Logit of `a` minus that of `b` after the destination.
    pub logit_difference: f32,
    /// Log-probability of `a` after the destination.
    pub logprob_a: f32,
    /// The most likely tokens after the destination, most likely first.
    pub next: Vec<NextToken>,
}

/// The linear prediction: the scales of LayerNorm are frozen, and the head's output takes the direct path
/// to the logits. If the intervention is at another head, the direct path is that head's, and the pair's head does not
/// change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// Attention from the destination to the source.
    pub attention: f32,
    /// Score from the destination to the source.
    pub score: f32,
    /// Logit of `a` minus that of `b` after the destination.
    pub logit_difference: f32,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Outcome {
    /// Attention from the destination to position `src`; 0 for a position that it does not see.
    pub fn attention(&self, src: usize) -> f32 {
        self.row.get(src).copied().unwrap_or_default()
    }

    /// Checks that the row has `seen` positions, and that the values are probabilities and finite numbers.
    fn check(&self, seen: usize) -> Result<()> {
        if self.row.len() != seen {
            let cause = format!("intervention: a row of attention has {} numbers", self.row.len());
            return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("{seen}, one for each position")));
        }
        check_probabilities("intervention: row", &self.row)?;
        check_finite(
            "intervention: a number",
            [self.score, self.logit_difference, self.logprob_a],
        )?;
        check_next(&self.next)
    }
}

impl SectionType for InterventionSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        check_targets(&self.a, &self.b, config)?;
        self.before.check(self.dest + 1)?;
        if let Some(count) = self.same_tokens.iter().flatten().find(|count| **count > self.prompts) {
            let cause = format!("intervention: same_tokens: {count} of {} prompts", self.prompts);
            return Err(Error::new(ErrorKind::ResultFile, cause).expected("at most all of them"));
        }
        for Effect {
            intervention,
            after,
            predicted,
        } in &self.effects
        {
            intervention
                .check(self.head, config)
                .map_err(Error::into_result_file_error)?;
            after.check(self.dest + 1)?;
            let Predicted {
                attention,
                score,
                logit_difference,
            } = *predicted;
            check_finite("intervention: a prediction", [attention, score, logit_difference])?;
        }
        Ok(())
    }
}
