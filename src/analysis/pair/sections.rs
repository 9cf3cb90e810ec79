//! What is found of a sentence, as sections of a result.

use serde::{Deserialize, Serialize};

use super::attention::entropy;
use super::{Account, Attention, Opened, Opening, Pair};
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::Config;
use crate::names::{Component, Head, Relative};

/// Where every head looks from one position of a sentence, the whole pattern of one of them, and what comes next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionSection {
    /// The head whose pattern is whole.
    pub head: Head,
    /// The position that heads look from.
    pub dest: usize,
    /// The position that the head looks to.
    pub src: usize,
    /// The sentence's tokens as texts, `[pos]`. Bytes that are no character stand as `\xE6`.
    pub texts: Vec<String>,
    /// Scores of all heads from `dest`, `[layer, head, dest + 1]`.
    pub scores: Array,
    /// Probabilities of the head from every position to those that it sees, row after row: 1 for position 0, 2 for position 1, ...
    pub pattern: Array,
}

/// The likeliest tokens after one position of a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextSection {
    /// The position.
    pub dest: usize,
    /// The tokens, the likeliest first.
    pub tokens: Vec<NextToken>,
}

/// A token that may come next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextToken {
    /// Its id.
    pub token: u32,
    /// Its text, as in [`AttentionSection::texts`].
    pub text: String,
    /// Its log-probability.
    pub logprob: f32,
}

/// The score of one head between two positions of a sentence, taken apart on both sides at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSection {
    /// The head.
    pub head: Head,
    /// The position that it looks from.
    pub dest: usize,
    /// The position that it looks to.
    pub src: usize,
    /// What the score is relative to; None for the score itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<Relative>,
    /// The components of the query side, b_Q last; on the key side b_K stands in its place.
    pub components: Vec<Component>,
    /// What the cells add up to, computed without them: the score, or the relative one.
    pub score: f32,
    /// What each component of the query side times each of the key side adds, `[components, components]`.
    pub table: Array,
}

/// What one component of a score was opened into: see [`super::down()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DownSection {
    /// The head.
    pub head: Head,
    /// The position that it looks from.
    pub dest: usize,
    /// The position that it looks to.
    pub src: usize,
    /// What was opened.
    pub opening: Opening,
    /// What was found there.
    pub opened: Opened,
}

impl AttentionSection {
    /// What was `found` for `pair`, with its tokens' `texts`.
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
            scores: Array::new(shape, scores)?,
            pattern: Array::vector(pattern),
        })
    }

    /// Number of layers and of heads in each.
    pub fn heads(&self) -> (usize, usize) {
        match self.scores.shape() {
            [layers, heads, _] => (*layers, *heads),
            _ => (0, 0),
        }
    }

    /// Scores of `head` from `dest`, `[dest + 1]`; empty for a head that is not there.
    pub fn scores_of(&self, head: Head) -> &[f32] {
        let (_, heads) = self.heads();
        let row = (head.layer * heads + head.head) * (self.dest + 1);
        let there = head.head < heads;
        self.scores
            .data()
            .get(row..row + self.dest + 1)
            .filter(|_| there)
            .unwrap_or_default()
    }

    /// Probabilities of `head` from `dest`, `[dest + 1]`.
    pub fn row(&self, head: Head) -> Vec<f32> {
        let mut row = self.scores_of(head).to_vec();
        math::softmax(&mut row);
        row
    }

    /// Entropy of the row of `head`, in nats.
    pub fn entropy(&self, head: Head) -> f32 {
        entropy(&self.row(head))
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

    fn prompt_count(&self) -> Option<usize> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(misfit)?;
        check_positions(self.dest, self.src, Some(self.texts.len()))?;
        let shape = [config.n_layer, config.n_head, self.dest + 1];
        self.scores.check("attention: scores", &shape)?;
        let count = self.texts.len();
        self.pattern.check("attention: pattern", &[count * (count + 1) / 2])
    }
}

impl SectionType for NextSection {
    fn head(&self) -> Option<Head> {
        None
    }

    fn prompt_count(&self) -> Option<usize> {
        None
    }

    fn check(&self, _config: &Config, _prompts: usize) -> Result<()> {
        let no_probability = |next: &&NextToken| !next.logprob.is_finite() || next.logprob > 0.0;
        match self.tokens.iter().find(no_probability) {
            Some(NextToken { text, logprob, .. }) => {
                let cause = format!("next: the log-probability of {text:?} is {logprob}");
                Err(Error::new(ErrorKind::ResultFile, cause).expected("finite numbers of at most 0"))
            }
            None => Ok(()),
        }
    }
}

impl PairSection {
    /// What `account` says of `pair`, relative to `relative`.
    pub(super) fn new(pair: &Pair, account: &Account, relative: Option<Relative>) -> Result<Self> {
        let (score, table) = match relative {
            Some(to) => (account.relative_score(to)?, account.relative(to)?),
            None => (account.score, account.table()),
        };
        Ok(Self {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            relative,
            components: account.components.clone(),
            score,
            table,
        })
    }
}

impl SectionType for PairSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn prompt_count(&self) -> Option<usize> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(misfit)?;
        check_positions(self.dest, self.src, None)?;
        let count = self.components.len();
        let expected = Component::before(self.head.layer, config.n_head).chain([Component::QueryBias]);
        if !expected.eq(self.components.iter().copied()) {
            let cause = format!("pair: the components are not those before head {}", self.head);
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("embeddings, then heads, MLP and output bias of each layer, then the bias of the query"));
        }
        self.table.check("pair: table", &[count, count])?;
        match self.score.is_finite() {
            true => Ok(()),
            false => Err(
                Error::new(ErrorKind::ResultFile, format!("pair: the score is {}", self.score))
                    .expected("a finite number"),
            ),
        }
    }
}

impl SectionType for DownSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn prompt_count(&self) -> Option<usize> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(misfit)?;
        check_positions(self.dest, self.src, None)?;
        let Opened {
            parts,
            sum,
            cell,
            scale,
            ..
        } = &self.opened;
        let values = parts.iter().map(|(_, value)| value).chain([sum, cell, scale]);
        match values.copied().find(|value| !value.is_finite()) {
            Some(value) => {
                Err(Error::new(ErrorKind::ResultFile, format!("down: a value is {value}")).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

/// Checks that `src` is not after `dest`, and `dest` in a sentence of `count` tokens, where that is known.
fn check_positions(dest: usize, src: usize, count: Option<usize>) -> Result<()> {
    if src <= dest && count.is_none_or(|count| dest < count) {
        return Ok(());
    }
    let cause = format!("a head looks from position {dest} to position {src}");
    Err(Error::new(ErrorKind::ResultFile, cause).expected("positions of the sentence, the second not after the first"))
}

/// An error of a request as one of a file.
fn misfit(error: Error) -> Error {
    Error {
        kind: ErrorKind::ResultFile,
        ..error
    }
}
