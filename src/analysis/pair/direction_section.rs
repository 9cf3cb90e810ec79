//! The singular directions of a head as a section of a result.

use serde::{Deserialize, Serialize};

use super::check::{check_finite, check_positions};
use super::directions::{DirectionTokens, Directions, ExtremeTokens, QkSvd, of_groups};
use super::position_pair::Pair;
use super::score_decomposition::ScoreDecomposition;
use super::token::TokenValue;
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::{Config, Tokenizer};
use crate::names::{Component, Head, Relative, Side};

/// The score of one head between two positions as a sum over the singular directions of the head, with one direction
/// decomposed further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionsSection {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// What the score is relative to; None for the score itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<Relative>,
    /// The singular values of `W_Q W_K^T / sqrt(d_head)`, the largest first, `[d_head]`.
    pub values: Array,
    /// Contribution of each direction to the score, `[d_head]`.
    pub contributions: Array,
    /// Contributions of the terms with biases, `[3]`: `q . b_K`, `b_Q . k` and `b_Q . b_K`, with q and k without
    /// biases.
    pub biases: Array,
    /// Number of directions per group. The singular values of a group are nearly equal, so that only the sum over the
    /// group is well defined.
    pub groups: Vec<usize>,
    /// The smallest number of groups that make up nine tenths of all absolute contributions, without biases.
    pub explaining: usize,
    /// The sum of directions and biases, computed without them: the score, or the relative one.
    pub score: f32,
    /// The direction that is decomposed further.
    pub opened: OpenedDirection,
}

/// One direction: the contributions of components along it, and its closest tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenedDirection {
    /// The number, counted from 0.
    pub direction: usize,
    /// The components before the head's layer.
    pub components: Vec<Component>,
    /// Contribution of each on the query side, `[components]`.
    pub query: Array,
    /// Contribution of each on the key side, `[components]`.
    pub key: Array,
    /// The closest tokens on both sides; empty if they are not computed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<DirectionExtremes>,
}

/// The tokens whose rows of a matrix have the largest and the smallest cosines with a direction's vector. Signs are
/// chosen such that the query's normalized residual stream has a positive product with its vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionExtremes {
    /// The side whose vector it is.
    pub side: Side,
    /// The matrix.
    pub matrix: TokenMatrix,
    /// Largest cosines, in descending order.
    pub along: Vec<TokenValue>,
    /// Smallest cosines, in ascending order.
    pub against: Vec<TokenValue>,
}

/// A matrix with a vector for each token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenMatrix {
    /// W_E.
    Embedding,
    /// W_U.
    Unembedding,
}

impl DirectionsSection {
    /// The directions of the score of `pair`; `decomposition` is its decomposition, and `svd` are the singular vectors of
    /// its head. Direction number `opened` is decomposed further, or the one that contributes most in absolute value.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a direction that does not exist, and a position that the destination does not see.
    pub(super) fn new(
        (pair, decomposition, svd): (&Pair, &ScoreDecomposition, &QkSvd),
        relative: Option<Relative>,
        opened: Option<usize>,
    ) -> Result<(Self, Directions)> {
        let found = decomposition.directions(svd, relative)?;
        let direction = opened.unwrap_or_else(|| found.largest());
        let along = decomposition.along(svd, direction, relative)?;
        let count = decomposition.components.len() - 1;
        let section = Self {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            relative,
            values: Array::vector(found.values.clone()),
            contributions: Array::vector(found.contributions.clone()),
            biases: Array::vector(found.biases.to_vec()),
            groups: found.groups.iter().map(ExactSizeIterator::len).collect(),
            explaining: found.explaining(),
            score: found.score,
            opened: OpenedDirection {
                direction,
                components: decomposition.components[..count].to_vec(),
                query: Array::vector(along.query),
                key: Array::vector(along.key),
                tokens: Vec::new(),
            },
        };
        Ok((section, found))
    }

    /// The same with the `tokens` of the opened direction.
    #[must_use]
    pub(super) fn with_tokens(mut self, tokens: DirectionTokens, tokenizer: &Tokenizer) -> Self {
        let DirectionTokens { w_e, w_u } = tokens;
        let labeled = |matrix: TokenMatrix, extremes: [ExtremeTokens; 2]| {
            let extremes = Side::ALL.into_iter().zip(extremes);
            extremes.map(move |(side, ExtremeTokens { along, against })| DirectionExtremes {
                side,
                matrix,
                along: TokenValue::all(tokenizer, along),
                against: TokenValue::all(tokenizer, against),
            })
        };
        let all = labeled(TokenMatrix::Embedding, w_e).chain(labeled(TokenMatrix::Unembedding, w_u));
        self.opened.tokens = all.collect();
        self
    }

    /// The sum of directions and biases: equal to [`DirectionsSection::score`], but for rounding.
    pub fn sum(&self) -> f32 {
        (math::sum(self.contributions.data()) + math::sum(self.biases.data())) as f32
    }

    /// The groups: first direction, number of directions, and the sum of their contributions.
    pub fn of_groups(&self) -> Vec<(usize, usize, f32)> {
        let mut first = 0;
        let ranges = self.groups.iter().map(|count| {
            let range = first..first + count;
            first = range.end;
            range
        });
        let ranges: Vec<_> = ranges.collect();
        let sums = of_groups(self.contributions.data(), &ranges);
        let groups = ranges.into_iter().zip(sums);
        groups.map(|(range, sum)| (range.start, range.len(), sum)).collect()
    }
}

impl SectionType for DirectionsSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        let d_head = config.d_head();
        self.values.check("directions: values", &[d_head])?;
        self.contributions.check("directions: contributions", &[d_head])?;
        self.biases.check("directions: biases", &[3])?;
        check_finite("directions: the score", [self.score])?;
        let covered = self
            .groups
            .iter()
            .try_fold(0usize, |total, &count| total.checked_add(count));
        let OpenedDirection {
            direction,
            components,
            query,
            key,
            tokens,
        } = &self.opened;
        let wrong = if covered != Some(d_head) || self.groups.contains(&0) {
            Some("the sizes of the groups do not add up to d_head".to_owned())
        } else if self.explaining > self.groups.len() {
            Some(format!(
                "explaining is {}, but there are {} groups",
                self.explaining,
                self.groups.len()
            ))
        } else if *direction >= d_head {
            Some(format!("direction {direction} of {d_head} is opened"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Err(
                Error::new(ErrorKind::ResultFile, format!("directions: {wrong}")).expected(format!(
                    "sizes of groups that add up to {d_head}, and a direction below {d_head}"
                )),
            );
        }
        if !Component::before(self.head.layer, config.n_head).eq(components.iter().copied()) {
            let cause = format!("directions: the components are not those before head {}", self.head);
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected("embeddings, then heads, MLP and output bias of each layer"));
        }
        query.check("directions: the query side", &[components.len()])?;
        key.check("directions: the key side", &[components.len()])?;
        let cosines = tokens
            .iter()
            .flat_map(|extremes| extremes.along.iter().chain(&extremes.against));
        check_finite("directions: a cosine", cosines.map(|token| token.value))
    }
}
