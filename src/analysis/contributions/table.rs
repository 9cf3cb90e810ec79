//! The contributions of one heatmap, prompt by prompt.

use crate::model::Config;
use crate::names::{Column, Grid, Row};
use crate::result::Heatmap;

/// Most numbers of one heatmap that are kept prompt by prompt: a result file must stay one that a page can read.
const MOST_PER_PROMPT: usize = 250_000;

/// What each component at one end of a score adds to it, for every prompt of a batch.
///
/// Row `misc` holds W_E, W_pos and the bias, then zeros; the other rows are the layers before the destination head's, with
/// a column for each head (`z W_O`), one for the MLP and one for b_O. The cells of a prompt add up to its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Row names: `misc`, then the layers.
    pub rows: Vec<Row>,
    /// Column names: `L.0`, ..., `MLP`, `b_O`.
    pub columns: Vec<Column>,
    /// Cells, `[prompts, rows, columns]`.
    pub values: Vec<f32>,
    /// What the cells of every prompt have to add up to, computed from the whole query and key, `[prompts]`: END->IO, or
    /// what is left of it or put in its place.
    pub true_score: Vec<f32>,
}

impl Contributions {
    /// An empty one with `layers` layers.
    pub(super) fn new(config: &Config, layers: usize) -> Self {
        Self {
            rows: Grid::rows(layers),
            columns: Grid::columns(config.n_head),
            values: Vec::new(),
            true_score: Vec::new(),
        }
    }

    /// The cells of prompt `prompt`, `[rows, columns]`.
    pub fn prompt(&self, prompt: usize) -> &[f32] {
        let cells = self.rows.len() * self.columns.len();
        &self.values[prompt * cells..][..cells]
    }

    /// Largest |sum of cells - true score| over the prompts.
    pub fn max_abs_residual(&self) -> f32 {
        let residual = |(prompt, &score): (usize, &f32)| {
            let sum: f64 = self.prompt(prompt).iter().map(|&v| f64::from(v)).sum();
            (sum - f64::from(score)).abs()
        };
        self.true_score.iter().enumerate().map(residual).fold(0.0, f64::max) as f32
    }

    /// Means over the prompts; `per_prompt`: with the cells of every prompt, where they are not too many.
    pub fn heatmap(&self, per_prompt: bool) -> Heatmap {
        let prompts = self.true_score.len() as f64;
        let mut total = vec![0f64; self.rows.len() * self.columns.len()];
        for prompt in 0..self.true_score.len() {
            for (total, &cell) in total.iter_mut().zip(self.prompt(prompt)) {
                *total += f64::from(cell);
            }
        }
        let mean_score: f64 = self.true_score.iter().map(|&score| f64::from(score)).sum::<f64>() / prompts;
        let means: Vec<f32> = total.iter().map(|total| (total / prompts) as f32).collect();
        let per_prompt = per_prompt && self.values.len() <= MOST_PER_PROMPT;
        Heatmap {
            rows: self.rows.clone(),
            columns: self.columns.clone(),
            values: self.table(&means),
            sum: (total.iter().sum::<f64>() / prompts) as f32,
            mean_score: Some(mean_score as f32),
            max_abs_residual: Some(self.max_abs_residual()),
            per_prompt: per_prompt.then(|| {
                let prompts = 0..self.true_score.len();
                prompts.map(|prompt| self.table(self.prompt(prompt))).collect()
            }),
            note: None,
        }
    }

    /// `cells` as rows.
    fn table(&self, cells: &[f32]) -> Vec<Vec<f32>> {
        cells.chunks_exact(self.columns.len()).map(<[f32]>::to_vec).collect()
    }
}
