//! Decomposition of a score into the singular directions of its head.
//!
//! `W_Q W_K^T / sqrt(d_head) = U S V^T` has rank `d_head`. So a score is a sum over that many directions (each the
//! product of the query's normalized residual stream along one vector, the key's along another, and a singular value)
//! and three terms with biases. All in f64.

use std::ops::Range;

use super::relative::{key_factors, relative_score};
use super::score_decomposition::{ScoreDecomposition, weighted};
use super::writes::{Valued, extreme_tokens};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{HeadWeights, Model, Monitor};
use crate::math::{Svd, sort_descending, svd_of_product};
use crate::names::{Relative, Side};

/// Neighboring singular values whose relative difference is below this form a group: their vectors are not determined
/// individually.
const SAME: f64 = 1e-3;
/// The share of the absolute contributions that [`Directions::explaining`] has to reach.
const EXPLAINED: f64 = 0.9;

/// Singular vectors and values of `W_Q W_K^T / sqrt(d_head)` of one head, with LayerNorm folded in.
#[derive(Debug, Clone, PartialEq)]
pub struct QkSvd(Svd);

impl QkSvd {
    /// Computes those of the head with `weights`.
    pub fn new(weights: &HeadWeights) -> Self {
        let [w_q, w_k] = [Side::Query, Side::Key].map(|side| weights.columns_wide(side));
        Self(svd_of_product(w_q, w_k, weights.divisor()))
    }

    /// The singular values, the largest first, `[d_head]`.
    pub fn values(&self) -> &[f64] {
        &self.0.values
    }

    /// The query's and the key's vector of direction number `direction`, `[d_model]` each. Their signs are arbitrary,
    /// but consistent with each other. None where the direction does not exist.
    pub fn vectors(&self, direction: usize) -> Option<[&[f64]; 2]> {
        Some([self.0.u.get(direction)?, self.0.v.get(direction)?])
    }

    /// The groups of directions whose neighboring singular values differ by less than a thousandth.
    pub fn groups(&self) -> Vec<Range<usize>> {
        let values = self.values();
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (number, value) in values.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if values[group.end - 1] - value <= SAME * values[group.end - 1] => group.end += 1,
                _ => groups.push(number..number + 1),
            }
        }
        groups
    }
}

/// A score as a sum over the directions of its head.
#[derive(Debug, Clone, PartialEq)]
pub struct Directions {
    /// The singular values, the largest first, `[d_head]`.
    pub values: Vec<f32>,
    /// Contribution of each direction, `S_k (x_dest . u_k)(x_src . v_k)`, `[d_head]`.
    pub contributions: Vec<f32>,
    /// Contributions of the terms with biases: `q . b_K`, `b_Q . k` and `b_Q . b_K`, with q and k without biases. Only
    /// the second where the score is relative.
    pub biases: [f32; 3],
    /// Groups of directions, see [`QkSvd::groups`].
    pub groups: Vec<Range<usize>>,
    /// The sum, computed without the directions: the score, or the relative one.
    pub score: f32,
    /// Whether `x_dest . u_k` is negative, so that both vectors of [`QkSvd::vectors`] should be negated for display.
    pub flip_sign: Vec<bool>,
}

/// The contribution of one direction, by component at both ends.
#[derive(Debug, Clone, PartialEq)]
pub struct AlongDirection {
    /// `S_k (c_m(dest) / ln_scale(dest) . u_k)(x_src . v_k)` for every component of the query side, `[components]`,
    /// without biases.
    pub query: Vec<f32>,
    /// `S_k (x_dest . u_k)(c_n(src) / ln_scale(src) . v_k)` for every component of the key side, relative if the score
    /// is.
    pub key: Vec<f32>,
}

/// The tokens with the ten largest and the ten smallest cosines with a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtremeTokens {
    /// In descending order.
    pub along: Vec<Valued>,
    /// In ascending order.
    pub against: Vec<Valued>,
}

/// Tokens of a direction's two vectors, with the signs of [`QkSvd::vectors`].
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionTokens {
    /// Among the processed rows of W_E: for the query's vector and for the key's.
    pub w_e: [ExtremeTokens; 2],
    /// Among the processed columns of W_U.
    pub w_u: [ExtremeTokens; 2],
}

impl ScoreDecomposition {
    /// The score as a sum over the directions `svd` of its head; relative to other keys where `relative` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that the destination does not see.
    pub fn directions(&self, svd: &QkSvd, relative: Option<Relative>) -> Result<Directions> {
        self.row().directions(svd, relative)
    }

    /// The contribution of direction number `direction`, by component. Since `S_k u_k = W_Q W_K^T v_k / sqrt(d_head)`
    /// (and likewise on the key side), the components' contributions to queries and keys suffice.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a direction that does not exist, and a position that the destination does not see.
    pub fn along(&self, svd: &QkSvd, direction: usize, relative: Option<Relative>) -> Result<AlongDirection> {
        let [u, v] = svd.vectors(direction).ok_or_else(|| {
            let count = svd.values().len();
            Error::new(ErrorKind::Request, format!("the head has no direction {direction}"))
                .expected(format!("one from 0 to {}", count.saturating_sub(1)))
        })?;
        let endpoints = self.row().endpoints(relative)?;
        let weights = &self.weights;
        let side = |through: Side, vector: &[f64], factor: f64, components: &mut dyn Iterator<Item = Vec<f64>>| {
            let map = weights.read_wide(through, vector);
            let factor = factor / weights.divisor();
            components
                .map(|component| (factor * dot(&component, &map)) as f32)
                .collect()
        };
        // The last one is the bias.
        let count = self.queries.len() - 1;
        let wide = |query: &Vec<f32>| query.iter().copied().map(f64::from).collect();
        let keys = self.keys(relative)?;
        Ok(AlongDirection {
            query: side(
                Side::Key,
                v,
                dot(&endpoints.x_src, v),
                &mut self.queries.iter().take(count).map(wide),
            ),
            key: side(
                Side::Query,
                u,
                dot(&endpoints.x_dest, u),
                &mut keys.into_iter().take(count),
            ),
        })
    }

    fn row(&self) -> ScoreRow<'_> {
        ScoreRow {
            weights: &self.weights,
            normalized: &self.normalized,
            scores: &self.scores,
            src: self.src,
        }
    }
}

/// The scores of a head from one position, and the vectors that they are computed from.
pub(in crate::analysis) struct ScoreRow<'a> {
    /// Weights of the head.
    pub(in crate::analysis) weights: &'a HeadWeights,
    /// The normalized residual stream at every position that the destination sees, `[dest + 1, d_model]`.
    pub(in crate::analysis) normalized: &'a [f32],
    /// Scores from the destination to each of them, `[dest + 1]`.
    pub(in crate::analysis) scores: &'a [f32],
    /// The position of the score to decompose.
    pub(in crate::analysis) src: usize,
}

impl ScoreRow<'_> {
    /// As [`ScoreDecomposition::directions`].
    pub(in crate::analysis) fn directions(&self, svd: &QkSvd, relative: Option<Relative>) -> Result<Directions> {
        let endpoints = self.endpoints(relative)?;
        let along = |(number, value): (usize, &f64)| {
            let [u, v] = svd.vectors(number).unwrap_or_default();
            let (of_query, of_key) = (dot(&endpoints.x_dest, u), dot(&endpoints.x_src, v));
            (of_query < 0.0, (value * of_query * of_key) as f32)
        };
        let (flip_sign, contributions) = svd.values().iter().enumerate().map(along).unzip();
        Ok(Directions {
            values: svd.values().iter().map(|&value| value as f32).collect(),
            contributions,
            biases: endpoints.biases,
            groups: svd.groups(),
            score: relative_score(self.scores, self.src, relative)?,
            flip_sign,
        })
    }

    /// Both ends of the score, and the contributions of the terms with biases.
    fn endpoints(&self, relative: Option<Relative>) -> Result<ScoreEndpoints> {
        let count = self.scores.len();
        let d = self.normalized.len() / count;
        let rows = || self.normalized.chunks_exact(d);
        let dest: Vec<f64> = (0..count).map(|row| f64::from(u8::from(row + 1 == count))).collect();
        let x_dest = weighted(rows(), &dest, d);
        let x_src = weighted(rows(), &key_factors(self.src, relative, self.scores)?, d);
        let [b_q, b_k] = Side::ALL.map(|side| {
            let bias = self.weights.bias(side).iter();
            bias.copied().map(f64::from).collect::<Vec<f64>>()
        });
        let (query, key) = (
            self.weights.read_wide(Side::Query, &x_dest),
            self.weights.read_wide(Side::Key, &x_src),
        );
        let of_b_k = |term: f64| if relative.is_some() { 0.0 } else { term };
        let terms = [of_b_k(dot(&query, &b_k)), dot(&b_q, &key), of_b_k(dot(&b_q, &b_k))];
        Ok(ScoreEndpoints {
            x_dest,
            x_src,
            biases: terms.map(|term| (term / self.weights.divisor()) as f32),
        })
    }
}

/// Both ends of a score.
struct ScoreEndpoints {
    /// The normalized residual stream at the destination, `[d_model]`.
    x_dest: Vec<f64>,
    /// The normalized residual stream at the source, relative to others where the score is.
    x_src: Vec<f64>,
    biases: [f32; 3],
}

impl Directions {
    /// The sum of contributions of each group, in order.
    pub fn of_groups(&self) -> Vec<f32> {
        of_groups(&self.contributions, &self.groups)
    }

    /// The smallest number of groups that make up nine tenths of all absolute contributions, without biases.
    pub fn explaining(&self) -> usize {
        self.explaining_groups().len()
    }

    /// The indices of these groups, the largest first; on ties the first.
    pub fn explaining_groups(&self) -> Vec<usize> {
        let sizes = self.of_groups().into_iter().map(|sum| f64::from(sum).abs());
        let mut sizes: Vec<(usize, f64)> = sizes.enumerate().collect();
        sort_descending(&mut sizes, |size| size.1);
        let whole: f64 = sizes.iter().map(|(_, size)| size).sum();
        let mut left = whole;
        let needed = sizes.into_iter().take_while(|(_, size)| {
            let is_needed = left > (1.0 - EXPLAINED) * whole;
            left -= size;
            is_needed
        });
        needed.map(|(group, _)| group).collect()
    }

    /// The direction that contributes most in absolute value; on ties the first.
    pub fn largest(&self) -> usize {
        let sizes = self.contributions.iter().map(|value| value.abs()).enumerate();
        let largest = sizes.fold((0, 0.0), |best, size| if size.1 > best.1 { size } else { best });
        largest.0
    }
}

/// Sums of `contributions` by group.
pub(super) fn of_groups(contributions: &[f32], groups: &[Range<usize>]) -> Vec<f32> {
    let sum = |group: &Range<usize>| {
        let of_group = contributions.get(group.clone()).unwrap_or_default().iter();
        of_group.map(|&value| f64::from(value)).sum::<f64>() as f32
    };
    groups.iter().map(sum).collect()
}

/// The tokens closest to direction number `direction` of `svd`. Streams W_E and W_U.
///
/// # Errors
/// [`ErrorKind::Internal`] before the model's embedding has been read, read errors.
pub async fn direction_tokens(
    model: &Model,
    svd: &QkSvd,
    direction: usize,
    monitor: &dyn Monitor,
) -> Result<DirectionTokens> {
    let vectors = svd.vectors(direction).unwrap_or_default().map(<[f64]>::to_vec);
    let cosines = model.cosines(&vectors, monitor).await?;
    let extremes = |by_vector: Vec<Vec<f32>>| {
        let mut by_vector = by_vector.into_iter();
        [(); 2].map(|()| {
            let (along, against) = extreme_tokens(&by_vector.next().unwrap_or_default());
            ExtremeTokens { along, against }
        })
    };
    Ok(DirectionTokens {
        w_e: extremes(cosines.w_e),
        w_u: extremes(cosines.w_u),
    })
}

impl DirectionTokens {
    /// The same for the negated vectors.
    #[must_use]
    pub fn negated(self) -> Self {
        let turn = |tokens: ExtremeTokens| {
            let negative = |tokens: Vec<Valued>| tokens.into_iter().map(|(token, cosine)| (token, -cosine)).collect();
            ExtremeTokens {
                along: negative(tokens.against),
                against: negative(tokens.along),
            }
        };
        Self {
            w_e: self.w_e.map(turn),
            w_u: self.w_u.map(turn),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svd(values: &[f64]) -> QkSvd {
        QkSvd(Svd {
            u: vec![Vec::new(); values.len()],
            values: values.to_vec(),
            v: vec![Vec::new(); values.len()],
        })
    }

    #[test]
    fn neighbors_are_chained_into_groups() {
        // Neighbors differ by less than a thousandth, the first and the third by more.
        let found = svd(&[3.0, 2.0, 1.9985, 1.997, 1.0, 0.5, 0.0, 0.0]).groups();
        assert_eq!(found, [0..1, 1..4, 4..5, 5..6, 6..8]);
        assert_eq!(svd(&[]).groups(), Vec::<Range<usize>>::new());
    }

    fn directions(contributions: &[f32], groups: &[Range<usize>]) -> Directions {
        Directions {
            values: vec![1.0; contributions.len()],
            contributions: contributions.to_vec(),
            biases: [0.0; 3],
            groups: groups.to_vec(),
            score: 0.0,
            flip_sign: vec![false; contributions.len()],
        }
    }

    #[test]
    fn the_fewest_groups_that_explain_nine_tenths() {
        let one_by_one = [0..1, 1..2, 2..3, 3..4];
        for (contributions, expected) in [
            ([1.0, -8.5, 0.25, 0.25], 2),
            ([9.5, 0.0, 0.25, 0.25], 1),
            ([1.0, -1.0, 1.0, -1.0], 4),
            ([0.0; 4], 0),
        ] {
            assert_eq!(
                directions(&contributions, &one_by_one).explaining(),
                expected,
                "{contributions:?}"
            );
        }
        // Opposite contributions cancel within a group.
        let grouped = directions(&[5.0, -5.0, 3.0, 0.125], &[0..2, 2..3, 3..4]);
        assert_eq!((grouped.of_groups(), grouped.explaining()), (vec![0.0, 3.0, 0.125], 1));
        assert_eq!(grouped.largest(), 0);
    }

    #[test]
    fn what_is_turned_changes_ends() {
        let extremes = |along: Valued, against: Valued| ExtremeTokens {
            along: vec![along],
            against: vec![against],
        };
        let one = extremes((7, 0.5), (8, -0.25));
        let tokens = DirectionTokens {
            w_e: [one.clone(), one.clone()],
            w_u: [one.clone(), one],
        };
        let negated = tokens.clone().negated();
        assert_eq!(negated.w_u[1], extremes((8, 0.25), (7, -0.5)));
        assert_eq!(negated.negated(), tokens);
    }
}
