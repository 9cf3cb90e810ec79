//! Accumulators for matrices that are streamed: rows are processed as they arrive.

use crate::compute::tensor;
use crate::error::Result;

/// Cosines of some vectors with the rows so far.
pub(super) struct PartialCosines<'a> {
    /// Each vector with its length.
    vectors: Vec<(&'a [f64], f64)>,
    /// Per vector the cosines.
    found: Vec<Vec<f32>>,
}

impl<'a> PartialCosines<'a> {
    /// Starts with `vectors [d_model]`.
    pub(super) fn new(vectors: &'a [Vec<f64>]) -> Self {
        let with_length = |vector: &'a Vec<f64>| (vector.as_slice(), length(vector));
        Self {
            vectors: vectors.iter().map(with_length).collect(),
            found: vec![Vec::new(); vectors.len()],
        }
    }

    /// Adds the next row, `[d_model]`.
    pub(super) fn add(&mut self, row: &[f64]) {
        let of_row = length(row);
        for ((vector, of_vector), found) in self.vectors.iter().zip(&mut self.found) {
            let product: f64 = vector.iter().zip(row).map(|(a, b)| a * b).sum();
            let lengths = of_row * of_vector;
            found.push(if lengths > 0.0 { (product / lengths) as f32 } else { 0.0 });
        }
    }

    /// The cosines per vector, `[rows]` each.
    pub(super) fn into_found(self) -> Vec<Vec<f32>> {
        self.found
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Calls `take` with `x [rows, d_model]` times some rows of W_U transposed (`w_u [tokens, d_model]`): `[rows, tokens]`.
/// Does nothing if there are no tokens.
pub(super) fn product_with(x: &[f32], w_u: &[f32], d_model: usize, take: impl FnOnce(&[f32])) -> Result<()> {
    if w_u.is_empty() || x.is_empty() {
        return Ok(());
    }
    let product = tensor::product(x.to_vec(), &tensor::matrix(w_u.to_vec(), d_model)?.t()?)?;
    tensor::read(&product, take)
}

/// Logits of the tokens so far.
pub(super) struct PartialLogits {
    /// `[rows, d_vocab]`.
    values: Vec<f32>,
    d_vocab: usize,
    done: usize,
}

impl PartialLogits {
    /// For `rows` rows and a vocabulary of `d_vocab` tokens.
    pub(super) fn new(rows: usize, d_vocab: usize) -> Self {
        Self {
            values: vec![0.0; rows * d_vocab],
            d_vocab,
            done: 0,
        }
    }

    /// Adds the logits of the next tokens, `[rows, tokens]`.
    pub(super) fn add(&mut self, logits: &[f32]) {
        let rows = self.values.chunks_exact_mut(self.d_vocab);
        let tokens = logits.len().checked_div(rows.len()).unwrap_or(0);
        if tokens == 0 {
            return;
        }
        for (row, new) in rows.zip(logits.chunks_exact(tokens)) {
            row[self.done..][..tokens].copy_from_slice(new);
        }
        self.done += tokens;
    }

    /// `[rows, d_vocab]`.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.values
    }
}
