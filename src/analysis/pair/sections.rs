//! Attention and decomposition of a sentence, as sections of a result.

use serde::{Deserialize, Serialize};

use super::attention::entropy;
use super::check::{check_finite, check_positions, check_probabilities};
use super::{Attention, LayerSection, Measures, Pair, PartDecomposition, PartPath, ScoreDecomposition};
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::Config;
use crate::names::{Component, Head, Relative};

/// The attention of every head from one position of a sentence, the whole pattern of one head, and the next tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionSection {
    /// The head whose whole pattern is included.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The texts of the sentence's tokens, `[pos]`. Bytes that are not valid UTF-8 are written as `\xE6`.
    pub texts: Vec<String>,
    /// The heads that are included, in the order of their rows; None for all heads of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Vec<Head>>,
    /// Scores of the heads from `dest`, `[layer, head, dest + 1]`, or `[heads, dest + 1]` if
    /// [`AttentionSection::heads`] is set. None in recordings, which have probabilities only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Array>,
    /// Probabilities in the same shape, if there are no scores; otherwise they are the softmax of the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probs: Option<Array>,
    /// Probabilities of the head from every position to those that it sees, row after row: 1 number for position 0, 2
    /// for position 1, ...
    pub pattern: Array,
    /// Statistics of every head over all positions of the sentence, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Measures>,
}

/// The most likely tokens after one position of a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextSection {
    /// The position.
    pub dest: usize,
    /// The tokens, most likely first.
    pub tokens: Vec<NextToken>,
}

/// A possible next token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextToken {
    /// The id.
    pub token: u32,
    /// The text, as in [`AttentionSection::texts`].
    pub text: String,
    /// The log-probability.
    pub logprob: f32,
}

/// The score of one head between two positions of a sentence, decomposed on both sides at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSection {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// What the score is relative to; None for the score itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<Relative>,
    /// The components of the query side, with b_Q last; on the key side, b_K takes its place.
    pub components: Vec<Component>,
    /// The sum of the cells, computed without them: the score, or the relative one.
    pub score: f32,
    /// The contribution of each component of the query side times each of the key side, `[components, components]`.
    pub table: Array,
}

/// The further decomposition of one component of a score: see [`super::drill_down()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrillDownSection {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The part that is decomposed.
    #[serde(rename = "opening")]
    pub part_path: PartPath,
    /// The decomposition.
    #[serde(rename = "opened")]
    pub decomposition: PartDecomposition,
}

impl AttentionSection {
    /// From the attention `found` for `pair`, with its tokens' `texts`.
    pub(super) fn new(pair: &Pair, texts: Vec<String>, found: &Attention) -> Result<Self> {
        let (count, seen) = (pair.tokens.len().max(1), pair.dest + 1);
        let rows = found.scores.data().chunks_exact(count);
        let scores: Vec<f32> = rows.flat_map(|row| &row[..seen]).copied().collect();
        let rows = found.of_head.data().chunks_exact(count).enumerate();
        let pattern = rows.flat_map(|(position, row)| &row[..=position]).copied().collect();
        let shape = [found.entropy.shape(), &[seen]].concat();
        Ok(Self {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            texts,
            heads: None,
            scores: Some(Array::new(shape, scores)?),
            probs: None,
            pattern: Array::vector(pattern),
            measures: None,
        })
    }

    /// The included heads, by layer.
    pub fn known_heads(&self) -> Vec<Head> {
        match (
            &self.heads,
            self.scores.as_ref().or(self.probs.as_ref()).map(Array::shape),
        ) {
            (Some(heads), _) => heads.clone(),
            (None, Some(&[layers, heads, _])) => (0..layers)
                .flat_map(|layer| (0..heads).map(move |head| Head::new(layer, head)))
                .collect(),
            (None, _) => Vec::new(),
        }
    }

    /// Scores of `head` from `dest`, `[dest + 1]`; empty for a head that does not exist, and where scores are not
    /// known.
    pub fn scores_of(&self, head: Head) -> &[f32] {
        self.scores
            .as_ref()
            .and_then(|scores| self.row_in(scores, head))
            .unwrap_or_default()
    }

    /// Probabilities of `head` from `dest`, `[dest + 1]`; empty for a head that does not exist.
    pub fn row(&self, head: Head) -> Vec<f32> {
        if let Some(probs) = &self.probs {
            return self.row_in(probs, head).unwrap_or_default().to_vec();
        }
        let mut row = self.scores_of(head).to_vec();
        math::softmax(&mut row);
        row
    }

    /// The row of `head` in `array`.
    fn row_in<'a>(&self, array: &'a Array, head: Head) -> Option<&'a [f32]> {
        let index = match (&self.heads, array.shape()) {
            (Some(heads), _) => heads.iter().position(|known| *known == head)?,
            (None, &[_, heads, _]) if head.head < heads => head.layer.checked_mul(heads)?.checked_add(head.head)?,
            (None, _) => return None,
        };
        let (seen, first) = (self.dest + 1, index.checked_mul(self.dest + 1)?);
        array.data().get(first..first.checked_add(seen)?)
    }

    /// Entropy of the row of `head`, in nats. None for a head that does not exist.
    pub fn entropy(&self, head: Head) -> Option<f32> {
        let row = self.row(head);
        (!row.is_empty()).then(|| entropy(&row))
    }

    /// Probabilities of the section's head from `position`, `[position + 1]`.
    pub fn pattern_row(&self, position: usize) -> &[f32] {
        let first = position * (position + 1) / 2;
        self.pattern.data().get(first..=first + position).unwrap_or_default()
    }
}

impl SectionType for AttentionSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, Some(self.texts.len()))?;
        let shape = match &self.heads {
            None => vec![config.n_layer, config.n_head, self.dest + 1],
            Some(heads) => {
                check_heads(heads, self.head, config)?;
                vec![heads.len(), self.dest + 1]
            }
        };
        match (&self.scores, &self.probs) {
            (Some(scores), None) => scores.check("attention: scores", &shape)?,
            (None, Some(probs)) => {
                probs.check("attention: probs", &shape)?;
                check_probabilities("attention: probs", probs.data())?;
            }
            (scores, _) => {
                let which = if scores.is_some() { "both" } else { "neither" };
                let cause = format!("attention: there are {which} of scores and probs");
                return Err(Error::new(ErrorKind::ResultFile, cause).expected("one of them"));
            }
        }
        for (name, array) in self.measures.iter().flat_map(Measures::all) {
            let what = format!("attention: {name}");
            array.check(&what, &[config.n_layer, config.n_head])?;
            check_probabilities(&what, array.data())?;
        }
        let count = self.texts.len();
        self.pattern.check("attention: pattern", &[count * (count + 1) / 2])
    }
}

impl SectionType for NextSection {
    fn head(&self) -> Option<Head> {
        None
    }

    fn check(&self, _config: &Config, _prompts: usize) -> Result<()> {
        check_next(&self.tokens)
    }
}

/// Checks that next tokens have log-probabilities.
///
/// # Errors
/// [`ErrorKind::ResultFile`] naming the first that has none.
pub(super) fn check_next(tokens: &[NextToken]) -> Result<()> {
    let no_probability = |next: &&NextToken| !next.logprob.is_finite() || next.logprob > 0.0;
    match tokens.iter().find(no_probability) {
        Some(NextToken { text, logprob, .. }) => {
            let cause = format!("next: the log-probability of {text:?} is {logprob}");
            Err(Error::new(ErrorKind::ResultFile, cause).expected("finite numbers of at most 0"))
        }
        None => Ok(()),
    }
}

impl PairSection {
    /// From the decomposition `decomposition` of the score of `pair`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a `relative` position after the destination.
    pub fn new(pair: &Pair, decomposition: &ScoreDecomposition, relative: Option<Relative>) -> Result<Self> {
        let (score, table) = match relative {
            Some(to) => (decomposition.relative_score(to)?, decomposition.relative(to)?),
            None => (decomposition.score, decomposition.table()),
        };
        Ok(Self {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            relative,
            components: decomposition.components.clone(),
            score,
            table,
        })
    }
}

impl SectionType for PairSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        let count = self.components.len();
        let expected = Component::before(self.head.layer, config.n_head).chain([Component::QueryBias]);
        if !expected.eq(self.components.iter().copied()) {
            let cause = format!("pair: the components are not those before head {}", self.head);
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("embeddings, then heads, MLP and output bias of each layer, then the bias of the query"));
        }
        self.table.check("pair: table", &[count, count])?;
        check_finite("pair: the score", [self.score])
    }
}

impl SectionType for LayerSection {
    fn head(&self) -> Option<Head> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config
            .check_head(Head::new(self.layer, 0))
            .map_err(Error::into_result_file_error)?;
        let cells = self.patterns.shape().last().copied().unwrap_or_default();
        self.patterns.check("layer: patterns", &[config.n_head, cells])?;
        if !self.has_whole_rows() {
            let cause = format!(
                "layer: a pattern has {cells} numbers, for blocks of {} positions",
                self.block
            );
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("a triangle of rows, n (n + 1) / 2 numbers, and blocks of at least 1 position"));
        }
        check_probabilities("layer: patterns", self.patterns.data())
    }
}

impl SectionType for DrillDownSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        let PartDecomposition {
            parts,
            sum,
            cell,
            scale,
            ..
        } = &self.decomposition;
        let values = parts.iter().map(|(_, value)| value).chain([sum, cell, scale]);
        check_finite("down: a value", values.copied())
    }
}

/// Checks that `heads` are distinct heads of the model and include `head`.
fn check_heads(heads: &[Head], head: Head, config: &Config) -> Result<()> {
    heads
        .iter()
        .try_for_each(|known| config.check_head(*known))
        .map_err(Error::into_result_file_error)?;
    let twice = (1..heads.len()).find(|&index| heads[..index].contains(&heads[index]));
    let cause = match twice {
        Some(index) => format!("attention: head {} is listed twice among heads", heads[index]),
        None if !heads.contains(&head) => format!("attention: head {head} is not among heads"),
        None => return Ok(()),
    };
    Err(Error::new(ErrorKind::ResultFile, cause).expected("each head once, including the section's own"))
}
