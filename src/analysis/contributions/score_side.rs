//! One end of a head's score in one prompt: query or key, decomposed into components.

use super::components::Components;
use crate::analysis::scores::HeadScores;
use crate::forward::HeadWeights;
use crate::math;
use crate::model::Config;
use crate::names::{Normalization, Side};

/// The query at END, or the key at IO or S1, of one prompt, and its components.
///
/// With the other end fixed at any vector of `d_head`, the score is a sum over the components. A component splits into
/// its part along the direction and the rest; biases go with the rest.
pub(super) struct ScoreSide<'a> {
    weights: &'a HeadWeights,
    side: Side,
    /// Number of cells: rows times columns.
    cells: usize,
    ln_scale: f32,
    /// Components without the bias, each times W_Q or W_K: cell and `d_head` numbers.
    mapped: Vec<(usize, Vec<f32>)>,
    /// Lengths of the same components along the direction.
    along: Vec<f32>,
    /// The direction (length 1) times W_Q or W_K.
    direction: Vec<f32>,
    /// The whole query or key, bias included.
    pub(super) whole: Vec<f32>,
    /// The part along the direction.
    parallel: Vec<f32>,
    /// Whether there is a direction: a constant vector has none.
    pub(super) has_direction: bool,
    /// Ratio of ln_scale to the divisor of the residual stream in the series "No patching".
    to_normalized: f32,
    /// Length of the direction after it is normalized as substituted vectors are.
    direction_scale: f32,
}

impl<'a> ScoreSide<'a> {
    /// From the components captured at `position` of prompt `index` of `count`. `whole` is the query or key there.
    pub(super) fn new(
        config: &Config,
        (scores, normalization): (&'a HeadScores<'a>, Normalization),
        side: Side,
        components: &Components,
        (index, count, position): (usize, usize, usize),
        whole: &[f32],
    ) -> Self {
        let (weights, d, columns) = (scores.weights, config.d_model, config.n_head + 2);
        let row = scores.tree.path(index)[position];
        let ln_scale = scores.ln_scale[row];
        let unit = &components.directions[index * d..][..d];
        let mut mapped = Vec::new();
        let mut along = Vec::new();
        for (cell, vectors) in [&components.w_e, &components.w_pos].into_iter().enumerate() {
            let vector = &vectors[index * d..][..d];
            mapped.push((cell, weights.read(side, vector)));
            along.push(math::dot(vector, unit) as f32);
        }
        let width = weights.d_head();
        for (number, &length) in components.along.iter().skip(index).step_by(count).enumerate() {
            let start = (number * count + index) * width;
            mapped.push((columns + number, components.mapped[start..][..width].to_vec()));
            along.push(length);
        }
        let direction = weights.read(side, unit);
        let length = (math::dot(scores.resid_at(row), unit) / f64::from(ln_scale)) as f32;
        let parallel: Vec<f32> = direction.iter().map(|v| length * v).collect();
        let (to_normalized, direction_scale) = match normalization {
            // A centered vector of length 1 has the standard deviation `1 / sqrt(d_model - 1)`.
            Normalization::Notebook => {
                let deviation = math::standard_deviation(scores.resid_at(row));
                ((f64::from(ln_scale) / deviation) as f32, (d as f32 - 1.0).sqrt())
            }
            Normalization::LayerNorm => (1.0, scores.weights.normalized_length(components.lengths[index])),
        };
        Self {
            weights,
            side,
            cells: columns + mapped.len() - 2,
            ln_scale,
            mapped,
            along,
            direction,
            whole: whole.to_vec(),
            parallel,
            has_direction: unit.iter().any(|v| *v != 0.0),
            to_normalized,
            direction_scale,
        }
    }

    /// The contribution of each component to the score with `other` at the other end, `[rows, columns]`, bias included.
    pub(super) fn contributions(&self, other: &[f32]) -> Vec<f32> {
        let mut cells = vec![0.0; self.cells];
        for (cell, mapped) in &self.mapped {
            cells[*cell] = self.score(mapped, other) / self.ln_scale;
        }
        cells[BIAS] = self.score(self.weights.bias(self.side), other);
        cells
    }

    /// The same for the parts along the direction, without the bias.
    pub(super) fn contributions_along(&self, other: &[f32]) -> Vec<f32> {
        let slope = self.score(&self.direction, other) / self.ln_scale;
        let mut cells = vec![0.0; self.cells];
        for ((cell, _), length) in self.mapped.iter().zip(&self.along) {
            cells[*cell] = length * slope;
        }
        cells
    }

    /// The query or key computed from the normalized direction alone, with the bias.
    pub(super) fn of_direction(&self) -> Vec<f32> {
        let scale = self.direction_scale;
        let bias = self.weights.bias(self.side);
        self.direction
            .iter()
            .zip(bias)
            .map(|(v, bias)| scale * v + bias)
            .collect()
    }

    /// The part of the query or key along the direction, or the rest with the bias: the sum of the split components.
    pub(super) fn part(&self, along: bool) -> Vec<f32> {
        if along {
            self.parallel.clone()
        } else {
            subtract(&self.whole, &self.parallel)
        }
    }

    /// The same with the residual stream normalized as in the series "No patching", for use at the other end of a split
    /// score. The notebook divides by the unbiased standard deviation instead of ln_scale.
    pub(super) fn part_normalized(&self, along: bool) -> Vec<f32> {
        let bias = self.weights.bias(self.side);
        let part = self.part(along);
        let fixed = part
            .iter()
            .zip(bias)
            .map(|(part, &bias)| if along { (part, 0.0) } else { (part, bias) });
        fixed
            .map(|(part, fixed)| fixed + self.to_normalized * (part - fixed))
            .collect()
    }

    /// The score of `own` at this end with `other` at the other end.
    pub(super) fn score(&self, own: &[f32], other: &[f32]) -> f32 {
        self.weights.score(own, other)
    }
}

/// The cell of the bias in row `misc`, after W_E and W_pos.
const BIAS: usize = 2;

/// `a - b`.
pub(super) fn subtract(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
