//! Decomposition of one score into pairs of components: each component of the query side times each of the key side.

use std::cell::RefCell;
use std::rc::Rc;

use super::position_pair::Pair;
use super::relative::{key_factors, relative_score};
use crate::analysis::Array;
use crate::analysis::contributions::{Components, Direction};
use crate::error::Result;
use crate::forward::{HeadWeights, Model, Monitor, Pass, PrefixTree, Request};
use crate::names::{Component, Relative, Side};

/// The score of a [`Pair`], decomposed on both sides at once.
pub struct ScoreDecomposition {
    /// The components on the query side, with the bias b_Q last; on the key side, b_K takes its place.
    pub components: Vec<Component>,
    /// The score itself, computed without the decomposition.
    pub score: f32,
    /// Scores from the destination to every position that it sees, `[dest + 1]`.
    pub scores: Vec<f32>,
    pub(super) src: usize,
    pub(super) weights: HeadWeights,
    /// The normalized residual stream at every position that the destination sees, `[dest + 1][d_model]`.
    pub(super) normalized: Vec<f32>,
    /// Contribution of each component to the query, `[components][d_head]`.
    pub(super) queries: Vec<Vec<f32>>,
    /// Contribution of each component to the key at every position that the destination sees, `[components][dest +
    /// 1][d_head]`.
    keys: Vec<Vec<Vec<f32>>>,
}

impl ScoreDecomposition {
    /// `table[m, n]`: contribution of component `m` of the query side times component `n` of the key side,
    /// `[components, components]`. The table sums to the score.
    pub fn table(&self) -> Array {
        self.of(self.keys.iter().map(|keys| keys[self.src].clone()).collect())
    }

    /// The same table for keys relative to others. It sums to the score minus the (weighted) mean of the others'
    /// scores.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a position that the destination does not see.
    pub fn relative(&self, to: Relative) -> Result<Array> {
        let keys = self.keys(Some(to))?;
        let rounded = |key: Vec<f64>| key.into_iter().map(|v| v as f32).collect();
        Ok(self.of(keys.into_iter().map(rounded).collect()))
    }

    /// Contribution of each component to the key at the source, `[components][d_head]`; minus the keys at other
    /// positions where `relative` says so.
    ///
    /// # Errors
    /// As [`ScoreDecomposition::relative`].
    pub(super) fn keys(&self, relative: Option<Relative>) -> Result<Vec<Vec<f64>>> {
        let factors = key_factors(self.src, relative, &self.scores)?;
        let (bias, width) = (self.keys.len() - 1, self.weights.d_head());
        let of_component = |(number, keys): (usize, &Vec<Vec<f32>>)| {
            // b_K is the same in every key.
            if number == bias && relative.is_some() {
                vec![0.0; width]
            } else {
                weighted(keys.iter().map(Vec::as_slice), &factors, width)
            }
        };
        Ok(self.keys.iter().enumerate().map(of_component).collect())
    }

    /// The sum of the table of [`ScoreDecomposition::relative`], computed without the decomposition: the score minus the
    /// (weighted) mean of the others.
    ///
    /// # Errors
    /// As [`ScoreDecomposition::relative`].
    pub fn relative_score(&self, to: Relative) -> Result<f32> {
        relative_score(&self.scores, self.src, Some(to))
    }

    /// The table for the components' contributions `keys`.
    fn of(&self, keys: Vec<Vec<f32>>) -> Array {
        let row = |query: &Vec<f32>| {
            keys.iter()
                .map(|key| self.weights.score(query, key))
                .collect::<Vec<_>>()
        };
        Array::of_rows(self.queries.iter().flat_map(row).collect(), keys.len())
    }
}

/// The weighted sum of `vectors [width]`.
pub(super) fn weighted<'a>(vectors: impl Iterator<Item = &'a [f32]>, factors: &[f64], width: usize) -> Vec<f64> {
    let mut total = vec![0f64; width];
    for (vector, factor) in vectors.zip(factors).filter(|(_, factor)| **factor != 0.0) {
        total
            .iter_mut()
            .zip(vector)
            .for_each(|(total, &v)| *total += factor * f64::from(v));
    }
    total
}

/// Row sums of `table [m, n]`: the contribution of each component of the query side.
pub fn query_side(table: &Array) -> Vec<f32> {
    let rows = (0..).map_while(|row| table.row(row));
    rows.map(|row| row.iter().map(|&v| f64::from(v)).sum::<f64>() as f32)
        .collect()
}

/// Column sums: the contribution of each component of the key side.
pub fn key_side(table: &Array) -> Vec<f32> {
    let mut sums = vec![0f64; table.row(0).map_or(0, <[f32]>::len)];
    for row in (0..).map_while(|row| table.row(row)) {
        sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

/// Takes the sentence of `pair` through the layers before its head, and decomposes the head's score.
///
/// # Errors
/// [`crate::ErrorKind::Request`] for a head or positions that do not exist, [`crate::ErrorKind::Prompt`] for a sentence
/// that does not fit the context, read errors, and those of `monitor`.
pub async fn decomposition(model: &mut Model, pair: &Pair, monitor: &dyn Monitor) -> Result<ScoreDecomposition> {
    pair.check(model)?;
    let layers = pair.head.layer;
    let seen = &pair.tokens[..=pair.dest];
    let tree = PrefixTree::new([seen]);
    let rows = tree.path(0).to_vec();
    let mut passes = [Pass::new(tree, Request::default())];
    let mut schedule = model.begin(&mut passes, layers, monitor).await?;
    let weights = model.head_weights(pair.head, monitor).await?;
    let components = |rows: Vec<usize>, side| {
        let made = Components::new(model, &weights, &passes[0].tree, (rows, layers), side, Direction::None)?;
        Result::Ok(Rc::new(RefCell::new(made)))
    };
    let (at_dest, at_all) = (
        components(vec![rows[pair.dest]], Side::Query)?,
        components(rows.clone(), Side::Key)?,
    );
    let taps = [&at_dest, &at_all].into_iter().flat_map(Components::taps);
    passes[0].request.taps.extend(taps);
    while model.advance(&mut schedule, &mut passes, monitor).await?.is_some() {}
    for components in [&at_dest, &at_all] {
        components.borrow_mut().add_biases(model)?;
    }

    let (normalized, ln_scale) = weights.normalize(&passes[0].resid);
    let (queries, keys) = (weights.queries(normalized.clone())?, weights.keys(normalized.clone())?);
    let width = weights.d_head();
    let at = |vectors: &[f32], row: usize| vectors[row * width..][..width].to_vec();
    let query = at(&queries, rows[pair.dest]);
    let scores: Vec<f32> = rows.iter().map(|&row| weights.score(&query, &at(&keys, row))).collect();
    let read = |components: &Components, side: Side, rows: &[usize]| {
        let scales: Vec<f32> = rows.iter().map(|&row| ln_scale[row]).collect();
        components.read(&weights, side, &scales)
    };
    let mut by_query = read(&at_dest.borrow(), Side::Query, &rows[pair.dest..]);
    by_query.push(vec![weights.bias(Side::Query).to_vec()]);
    let mut by_key = read(&at_all.borrow(), Side::Key, &rows);
    by_key.push(vec![weights.bias(Side::Key).to_vec(); rows.len()]);
    Ok(ScoreDecomposition {
        components: Component::before(layers, model.config().n_head)
            .chain([Component::QueryBias])
            .collect(),
        score: scores[pair.src],
        scores,
        src: pair.src,
        weights,
        normalized,
        queries: by_query.into_iter().flatten().collect(),
        keys: by_key,
    })
}
