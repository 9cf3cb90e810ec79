//! Interventions as a section of a result.

use serde::{Deserialize, Serialize};

use super::intervention::Intervention;
use crate::analysis::SectionType;
use crate::analysis::pair::check::{check_finite, check_positions, check_probabilities, check_targets, misfit};
use crate::analysis::pair::sections::check_next;
use crate::analysis::pair::{Named, NextToken};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Head, Normalization};

/// What interventions at a pair of positions of a sentence do, recomputed to the end of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterventionSection {
    /// The head of the pair.
    pub head: Head,
    /// The position that it looks from.
    pub dest: usize,
    /// The position that it looks to.
    pub src: usize,
    /// The token whose logit is held against that of `b`.
    pub a: Named,
    /// The other one.
    pub b: Named,
    /// The tokens of the second sentence as texts, `[pos]`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Vec<String>>,
    /// The number of a run's prompts over which means were taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompts: usize,
    /// How a vector was normalized that stands in place of what the head reads; the notebook's way where a file does not say.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// In how many of those prompts the token that the head looks from, and the one that it looks to, are the pair's own: `[dest, src]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_tokens: Option<[usize; 2]>,
    /// The pair as it is.
    pub before: Outcome,
    /// Each intervention, done by itself.
    pub effects: Vec<Effect>,
}

/// What an intervention does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The intervention.
    pub intervention: Intervention,
    /// The pair with it, recomputed.
    pub after: Outcome,
    /// What the linear split predicts of it.
    pub predicted: Predicted,
}

/// What is reported of a pair, before an intervention or after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Attention of the head from the destination, `[dest + 1]`. Where the pattern itself is set, it need not add up to 1.
    pub row: Vec<f32>,
    /// Score of the head from the destination to the source.
    pub score: f32,
    /// The logit of `a` minus that of `b` after the destination.
    pub logit_difference: f32,
    /// Log-probability of `a` after the destination.
    pub logprob_a: f32,
    /// The likeliest tokens after the destination, the likeliest first.
    pub next: Vec<NextToken>,
}

/// What the linear split predicts: scales of LayerNorm are frozen, and what the head writes takes the direct path to the logits. Of an
/// intervention at another head than the pair's, that is what that head writes itself; the pair's head stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// Attention from the destination to the source.
    pub attention: f32,
    /// Score from the destination to the source.
    pub score: f32,
    /// The logit of `a` minus that of `b` after the destination.
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

    /// Checks that it is of a row of `seen` positions and has probabilities and finite numbers.
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
        config.check_head(self.head).map_err(misfit)?;
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
            intervention.check(self.head, config).map_err(misfit)?;
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
