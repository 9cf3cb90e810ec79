//! Direct effects of every head on a logit difference, as means over prompts, with and without an ablation. Recorded,
//! or computed by [`crate::analysis::pair::head_effects`].

use serde::{Deserialize, Serialize};

use super::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::Head;

/// The direct effect of every head on `logit(answer) - logit(other)` at the last token: means over `prompts`. The
/// spread over prompts is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadEffectsSection {
    /// The prompts that are averaged over.
    pub prompts: Vec<TargetPrompt>,
    /// The mean difference of the two logits.
    pub logit_difference: f32,
    /// Direct effect of each head, `[layer, head]`: the contribution of its output to the difference, with the scale of
    /// the final LayerNorm frozen.
    pub direct: Array,
    /// The same with one head ablated, recomputed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<Without>,
    /// How much of the difference activation patching restores, by head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patched: Option<Patched>,
}

/// A prompt, and the two tokens that are compared after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPrompt {
    /// The prompt, without BOS.
    pub text: String,
    /// The correct token.
    pub answer: String,
    /// The incorrect token.
    pub other: String,
    /// `logit(answer) - logit(other)` at its last token.
    pub logit_difference: f32,
}

/// The effect of setting the output of a head to zero at the last token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Without {
    /// The head.
    pub head: Head,
    /// The mean difference of the two logits without it.
    pub logit_difference: f32,
    /// Direct effect of each head after that, `[layer, head]`.
    pub direct: Array,
}

/// Activation patching: one activation of a head is copied, at all positions, from the prompt into the run on the
/// prompt in which answer and other are exchanged, `[layer, head]`. 0 changes nothing, 1 restores the whole difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patched {
    /// The head's output before W_O.
    pub z: Array,
    /// The values.
    pub v: Array,
    /// The attention pattern.
    pub pattern: Array,
}

impl HeadEffectsSection {
    /// The arrays that it has, with their names.
    fn arrays(&self) -> Vec<(&'static str, &Array)> {
        let mut arrays = vec![("head_effects: direct", &self.direct)];
        if let Some(without) = &self.without {
            arrays.push(("head_effects: without: direct", &without.direct));
        }
        if let Some(Patched { z, v, pattern }) = &self.patched {
            arrays.extend([
                ("head_effects: patched: z", z),
                ("head_effects: patched: v", v),
                ("head_effects: patched: pattern", pattern),
            ]);
        }
        arrays
    }
}

impl SectionType for HeadEffectsSection {
    fn head(&self) -> Option<Head> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        let shape = [config.n_layer, config.n_head];
        for (name, array) in self.arrays() {
            array.check(name, &shape)?;
        }
        if let Some(without) = &self.without {
            config.check_head(without.head).map_err(|error| Error {
                kind: ErrorKind::ResultFile,
                ..error
            })?;
        }
        if self.prompts.is_empty() {
            let error = Error::new(ErrorKind::ResultFile, "head_effects: there are no prompts");
            return Err(error.expected("those that the means are of"));
        }
        let differences = self.prompts.iter().map(|prompt| prompt.logit_difference);
        let without = self.without.as_ref().map(|without| without.logit_difference);
        let mut all = differences.chain([self.logit_difference]).chain(without);
        match all.find(|value| !value.is_finite()) {
            Some(value) => {
                let cause = format!("head_effects: a difference of logits is {value}");
                Err(Error::new(ErrorKind::ResultFile, cause).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ResultFile;

    fn recorded() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-head-effects.json")).expect("reads")
    }

    #[test]
    fn means_are_those_of_the_prompts() {
        let result = recorded();
        let section = result.head_effects().expect("has effects");
        let values = section.prompts.iter().map(|prompt| f64::from(prompt.logit_difference));
        let mean = values.sum::<f64>() / section.prompts.len() as f64;
        assert!((mean - f64::from(section.logit_difference)).abs() < 1e-4, "{mean}");
        // Heads make up most of the difference; MLPs and embeddings add the rest, which is not recorded by head.
        let heads: f64 = section.direct.data().iter().map(|&value| f64::from(value)).sum();
        assert!(heads > 3.0 && heads < mean, "{heads}");
        let without = section.without.as_ref().expect("has an ablation");
        let place = without.head.layer * result.config.n_head + without.head.head;
        assert_eq!(without.direct.data()[place], 0.0, "what is taken out adds nothing");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let whole = recorded();
        let broken = |change: fn(&mut HeadEffectsSection)| {
            let mut section = whole.head_effects().expect("has effects").clone();
            change(&mut section);
            section.check(&whole.config, 0).expect_err("does not fit").to_string()
        };
        let short = broken(|section| section.direct = Array::vector(vec![0.0; 3]));
        assert!(short.contains("head_effects: direct"), "{short}");
        let none = broken(|section| section.prompts.clear());
        assert!(none.contains("no prompts"), "{none}");
        let infinite = broken(|section| section.logit_difference = f32::INFINITY);
        assert!(infinite.contains("inf"), "{infinite}");
        let foreign = broken(|section| {
            if let Some(without) = &mut section.without {
                without.head = Head::new(12, 0);
            }
        });
        assert!(foreign.contains("12.0"), "{foreign}");
    }
}
