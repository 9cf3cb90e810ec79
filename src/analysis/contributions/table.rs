//! The contributions of one heatmap, prompt by prompt.

use super::heatmap::Heatmap;
use crate::analysis::{Array, OmissionReason};
use crate::model::Config;
use crate::names::{Column, Component, Grid, Row, Side};

/// Limit of the numbers per heatmap that are kept prompt by prompt, so that the result file stays small enough for the
/// page.
const MAX_PER_PROMPT: usize = 250_000;

/// The contribution of each component to a score, for every prompt of a batch.
///
/// Row `misc` holds W_E, W_pos and the bias, then zeros; the other rows are the layers before the destination head's,
/// with a column for each head (`z W_O`), one for the MLP and one for b_O. The cells of a prompt add up to its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Row names: `misc`, then the layers.
    pub rows: Vec<Row>,
    /// Column names: `L.0`, ..., `MLP`, `b_O`.
    pub columns: Vec<Column>,
    /// Cells, `[prompts, rows, columns]`.
    pub values: Vec<f32>,
    /// The sum that the cells of every prompt must have, computed from the whole query and key, `[prompts]`: the score
    /// END->IO, or a variant of it.
    pub true_score: Vec<f32>,
    /// For each prompt with values that are not finite, the reason.
    pub flaws: Vec<OmissionReason>,
}

impl Contributions {
    /// An empty one with `layers` layers.
    pub(super) fn new(config: &Config, layers: usize) -> Self {
        Self {
            rows: Grid::rows(layers),
            columns: Grid::columns(config.n_head),
            values: Vec::new(),
            true_score: Vec::new(),
            flaws: Vec::new(),
        }
    }

    /// The cells of prompt `prompt`, `[rows, columns]`.
    pub fn prompt(&self, prompt: usize) -> &[f32] {
        let cells = self.rows.len() * self.columns.len();
        &self.values[prompt * cells..][..cells]
    }

    /// Largest |sum of cells - true score| over the prompts.
    pub fn max_abs_residual(&self) -> f32 {
        self.max_residual(|_| 1.0)
    }

    /// The same relative to the sum of the prompt's absolute cells, which bounds the rounding errors: scores of 100,000
    /// in single precision may differ by 0.01.
    pub fn max_relative_residual(&self) -> f32 {
        self.max_residual(|cells| {
            let sizes: f64 = cells.iter().map(|&v| f64::from(v).abs()).sum();
            // Without any contribution, the score itself must be 0, whatever the unit.
            if sizes == 0.0 { 1.0 } else { sizes }
        })
    }

    /// Largest |sum of cells - true score|, divided by `unit` of the cells.
    fn max_residual(&self, unit: impl Fn(&[f32]) -> f64) -> f32 {
        let residual = |(prompt, &score): (usize, &f32)| {
            let cells = self.prompt(prompt);
            let sum: f64 = cells.iter().map(|&v| f64::from(v)).sum();
            (sum - f64::from(score)).abs() / unit(cells)
        };
        let residuals = self.true_score.iter().enumerate().map(residual);
        // Unlike `f64::max`, `total_cmp` orders NaN as the largest: a NaN must not look as if the cells added up.
        residuals.max_by(f64::total_cmp).unwrap_or(0.0) as f32
    }

    /// Means over the prompts for the components of `side`; with the cells of every prompt if `per_prompt` and if they
    /// are not too many.
    pub fn heatmap(&self, side: Side, per_prompt: bool) -> Heatmap {
        let prompts = self.true_score.len() as f64;
        let mut total = vec![0f64; self.rows.len() * self.columns.len()];
        for prompt in 0..self.true_score.len() {
            for (total, &cell) in total.iter_mut().zip(self.prompt(prompt)) {
                *total += f64::from(cell);
            }
        }
        let mean_score: f64 = self.true_score.iter().map(|&score| f64::from(score)).sum::<f64>() / prompts;
        let (places, components): (Vec<usize>, Vec<Component>) = self.components(side).into_iter().unzip();
        let per_prompt = (per_prompt && self.values.len() <= MAX_PER_PROMPT).then(|| {
            let prompts = 0..self.true_score.len();
            let of_prompt = |prompt| places.iter().map(move |&place| self.prompt(prompt)[place]);
            Array::of_rows(prompts.flat_map(of_prompt).collect(), places.len())
        });
        Heatmap {
            mean: Array::vector(places.iter().map(|&place| (total[place] / prompts) as f32).collect()),
            components,
            sum: (total.iter().sum::<f64>() / prompts) as f32,
            mean_score: Some(mean_score as f32),
            max_abs_residual: Some(self.max_abs_residual()),
            max_relative_residual: Some(self.max_relative_residual()),
            per_prompt,
            note: None,
        }
    }

    /// The components of `side`, each with its index in [`Contributions::prompt`].
    fn components(&self, side: Side) -> Vec<(usize, Component)> {
        let grid = Grid {
            rows: &self.rows,
            columns: &self.columns,
        };
        let columns = self.columns.len();
        let component = |place: usize| {
            let cell = grid.cell(side, (place / columns, place % columns))?;
            Some((place, cell.component()?))
        };
        (0..self.rows.len() * columns).filter_map(component).collect()
    }
}
