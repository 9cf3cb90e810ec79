//! Recurring directions as a section of a result.

use serde::{Deserialize, Serialize};

use crate::analysis::pair::QkSvd;
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::Config;
use crate::names::Head;

/// The contributions of groups of directions of one head to its score dest -> src, over all prompts of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDirectionsSection {
    /// The head.
    pub head: Head,
    /// Number of prompts.
    pub prompts: usize,
    /// The singular values of `W_Q W_K^T / sqrt(d_head)`, the largest first, `[d_head]`.
    pub values: Array,
    /// Number of directions per group. The singular values of a group are nearly equal, so that only the sum over the
    /// group is well defined.
    pub groups: Vec<usize>,
    /// For the score.
    pub score: GroupsOverPrompts,
    /// For the score relative to the attention-weighted mean over all positions that the destination sees.
    pub relative: GroupsOverPrompts,
}

/// Contributions of groups of directions to a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupsOverPrompts {
    /// Mean contribution of each group, `[groups]`.
    pub mean: Array,
    /// Sample standard deviation (divisor `prompts - 1`), `[groups]`; None for a single prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Array>,
    /// For each group, the number of prompts in which it is among the fewest groups that make up nine tenths of all
    /// absolute contributions, without biases, `[groups]`.
    pub explaining: Vec<usize>,
    /// Number of these groups in each prompt, `[prompts]`.
    pub needed: Vec<usize>,
    /// Mean contributions of the terms with biases, `[3]`: `q . b_K`, `b_Q . k` and `b_Q . b_K`, with q and k without
    /// biases. Only the second where the score is relative.
    pub biases: Array,
    /// Mean of the score, computed independently.
    pub mean_score: f32,
    /// Largest difference, over prompts, between the score and the sum of directions and biases.
    pub max_abs_residual: f32,
}

/// The result for one prompt.
pub(super) struct OfPrompt {
    /// Contribution of each group, `[groups]`.
    pub(super) groups: Vec<f32>,
    /// Indices of the groups that make up nine tenths.
    pub(super) explaining: Vec<usize>,
    pub(super) biases: [f32; 3],
    pub(super) score: f32,
    /// Difference between the score and the sum of all contributions.
    pub(super) residual: f32,
}

/// Number of directions in each group of `svd`.
pub(super) fn group_sizes(svd: &QkSvd) -> Vec<usize> {
    svd.groups().iter().map(ExactSizeIterator::len).collect()
}

impl RunDirectionsSection {
    /// Whether all numbers are finite.
    pub(super) fn is_finite(&self) -> bool {
        let finite = |array: &Array| array.data().iter().all(|value| value.is_finite());
        let of_groups = |groups: &GroupsOverPrompts| {
            finite(&groups.mean)
                && groups.deviation.as_ref().is_none_or(finite)
                && finite(&groups.biases)
                && groups.mean_score.is_finite()
                && groups.max_abs_residual.is_finite()
        };
        finite(&self.values) && of_groups(&self.score) && of_groups(&self.relative)
    }
}

impl GroupsOverPrompts {
    /// Summarizes `prompts`, which have `groups` groups.
    pub(super) fn new(prompts: &[OfPrompt], groups: usize) -> Self {
        let column = |read: &dyn Fn(&OfPrompt) -> f32| prompts.iter().map(read).collect::<Vec<f32>>();
        let mean = |values: &[f32]| {
            if values.is_empty() {
                0.0
            } else {
                math::mean(values) as f32
            }
        };
        let of_groups: Vec<Vec<f32>> = (0..groups)
            .map(|group| column(&|prompt| prompt.groups.get(group).copied().unwrap_or_default()))
            .collect();
        let deviation = |values: &Vec<f32>| math::standard_deviation(values) as f32;
        let explaining = |group: usize| {
            prompts
                .iter()
                .filter(|prompt| prompt.explaining.contains(&group))
                .count()
        };
        Self {
            mean: Array::vector(of_groups.iter().map(|values| mean(values)).collect()),
            deviation: (prompts.len() > 1).then(|| Array::vector(of_groups.iter().map(deviation).collect())),
            explaining: (0..groups).map(explaining).collect(),
            needed: prompts.iter().map(|prompt| prompt.explaining.len()).collect(),
            biases: Array::vector(
                (0..3)
                    .map(|term| mean(&column(&|prompt| prompt.biases[term])))
                    .collect(),
            ),
            mean_score: mean(&column(&|prompt| prompt.score)),
            max_abs_residual: column(&|prompt| prompt.residual).into_iter().fold(0.0, f32::max),
        }
    }

    /// Checks that it has `groups` groups and `prompts` prompts. `what` is used in errors.
    fn check(&self, what: &str, groups: usize, prompts: usize) -> Result<()> {
        self.mean.check(&format!("{what}: mean"), &[groups])?;
        if let Some(deviation) = &self.deviation {
            deviation.check(&format!("{what}: deviation"), &[groups])?;
        }
        self.biases.check(&format!("{what}: biases"), &[3])?;
        let wrong = if self.explaining.len() != groups {
            Some(format!("explaining has {} numbers", self.explaining.len()))
        } else if self.needed.len() != prompts {
            Some(format!("needed has {} numbers", self.needed.len()))
        } else if self.explaining.iter().any(|count| *count > prompts) {
            Some("a group is in more prompts than there are".to_owned())
        } else if self.needed.iter().any(|count| *count > groups) {
            Some("a prompt needs more groups than there are".to_owned())
        } else if !(self.mean_score.is_finite() && self.max_abs_residual.is_finite()) {
            Some("the mean score or the residual is not finite".to_owned())
        } else {
            None
        };
        match wrong {
            None => Ok(()),
            Some(wrong) => Err(Error::new(ErrorKind::ResultFile, format!("{what}: {wrong}"))
                .expected(format!("numbers of {groups} groups in {prompts} prompts"))),
        }
    }
}

impl RunDirectionsSection {
    /// The first direction of each group, and the number of directions.
    pub fn ranges(&self) -> Vec<(usize, usize)> {
        let mut first = 0;
        let ranges = self.groups.iter().map(|&count| {
            let range = (first, count);
            first += count;
            range
        });
        ranges.collect()
    }
}

impl SectionType for RunDirectionsSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn prompt_count(&self) -> Option<usize> {
        Some(self.prompts)
    }

    fn check(&self, config: &Config, prompts: usize) -> Result<()> {
        config.check_head(self.head)?;
        let d_head = config.d_head();
        self.values.check("run_directions: values", &[d_head])?;
        let covered = self
            .groups
            .iter()
            .try_fold(0usize, |total, &count| total.checked_add(count));
        if covered != Some(d_head) || self.groups.contains(&0) {
            let cause = "run_directions: the sizes of the groups do not add up to d_head";
            return Err(
                Error::new(ErrorKind::ResultFile, cause).expected(format!("groups of {d_head} directions in all"))
            );
        }
        if self.prompts != prompts {
            let cause = format!("run_directions: there are {} prompts", self.prompts);
            return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("{prompts}, the run's")));
        }
        let groups = self.groups.len();
        self.score.check("run_directions: score", groups, prompts)?;
        self.relative.check("run_directions: relative", groups, prompts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(groups: &[f32], explaining: &[usize]) -> OfPrompt {
        OfPrompt {
            groups: groups.to_vec(),
            explaining: explaining.to_vec(),
            biases: [0.5, 0.0, 1.0],
            score: groups.iter().sum::<f32>() + 1.5,
            residual: 0.25,
        }
    }

    #[test]
    fn means_and_counts_are_over_prompts() {
        let found = GroupsOverPrompts::new(&[prompt(&[4.0, 1.0], &[0, 1]), prompt(&[2.0, 0.0], &[0])], 2);
        assert_eq!(found.mean.data(), [3.0, 0.5]);
        let deviation = found.deviation.as_ref().map(|deviation| deviation.data()[0]);
        assert!(deviation.is_some_and(|deviation| (deviation - 2f32.sqrt()).abs() < 1e-6));
        assert_eq!(
            (found.explaining.as_slice(), found.needed.as_slice()),
            (&[2, 1][..], &[2, 1][..])
        );
        assert_eq!((found.biases.data(), found.mean_score), (&[0.5, 0.0, 1.0][..], 5.0));
        assert_eq!(found.max_abs_residual, 0.25);
        assert!(found.check("score", 2, 2).is_ok());
        for (groups, prompts) in [(3, 2), (2, 1)] {
            assert!(found.check("score", groups, prompts).is_err());
        }
        let of_one = GroupsOverPrompts::new(&[prompt(&[4.0], &[0])], 1);
        assert_eq!(of_one.deviation, None);
    }
}
