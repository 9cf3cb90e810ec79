//! LayerNorm with access to its scale.

use crate::math;

/// LayerNorm over `d_model`: `(x - mean) / ln_scale * weight + bias` with
/// `ln_scale = sqrt(mean((x - mean)^2) + eps)`.
///
/// Weight and bias are absent once [`crate::model::Processing::fold_ln`] has moved them elsewhere.
pub(crate) struct LayerNorm {
    pub(crate) eps: f64,
    pub(crate) affine: Option<Affine>,
}

/// Weight and bias of a LayerNorm, `[d_model]` each.
pub(crate) struct Affine {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl LayerNorm {
    /// `x [rows, d_model]` normalized, with weight and bias.
    pub(crate) fn forward(&self, x: &[f32], d_model: usize) -> Vec<f32> {
        let mut out = self.normalize(x, d_model).0;
        self.apply_affine(&mut out, d_model);
        out
    }

    /// Multiplies normalized rows with the weight and adds the bias, in place.
    pub(crate) fn apply_affine(&self, normalized: &mut [f32], d_model: usize) {
        if let Some(Affine { weight, bias }) = &self.affine {
            for row in normalized.chunks_exact_mut(d_model) {
                for ((v, w), b) in row.iter_mut().zip(weight).zip(bias) {
                    *v = *v * w + b;
                }
            }
        }
    }

    /// The same without the bias: the linear part, for effective embeddings.
    pub(crate) fn forward_without_bias(&self, x: &[f32], d_model: usize) -> Vec<f32> {
        let mut out = self.normalize(x, d_model).0;
        if let Some(Affine { weight, .. }) = &self.affine {
            for row in out.chunks_exact_mut(d_model) {
                for (v, w) in row.iter_mut().zip(weight) {
                    *v *= w;
                }
            }
        }
        out
    }

    /// `(x - mean) / ln_scale`, `[rows, d_model]`, and `ln_scale`, `[rows]`, in one pass.
    pub(crate) fn normalize(&self, x: &[f32], d_model: usize) -> (Vec<f32>, Vec<f32>) {
        let mut out = Vec::with_capacity(x.len());
        let mut scales = Vec::with_capacity(x.len() / d_model);
        for row in x.chunks_exact(d_model) {
            let mean = math::mean(row);
            let scale = (math::sum_of_squares(row, mean) / d_model as f64 + self.eps).sqrt();
            // The mean may be far larger than the rest: it is subtracted in two parts, its f32 value and the remainder.
            let (factor, high) = ((1.0 / scale) as f32, mean as f32);
            let low = (mean - f64::from(high)) as f32;
            out.extend(row.iter().map(|v| (v - high - low) * factor));
            scales.push(scale as f32);
        }
        (out, scales)
    }
}

/// Folds weight and bias of a LayerNorm into a map that reads it, and centers the map over its input.
///
/// `weight` is `[in, out]`: `W' = diag(w) W`, `b' = b + b_ln W`, then every column is centered, which changes nothing
/// for an input of mean 0 (TransformerLens' `fold_ln`).
pub(crate) fn fold(affine: &Affine, weight: &mut [f32], bias: &mut [f32]) {
    let width = bias.len();
    let mut from_bias = vec![0f64; width];
    let mut mean = vec![0f64; width];
    for ((row, &w), &b) in weight.chunks_exact_mut(width).zip(&affine.weight).zip(&affine.bias) {
        for ((v, from_bias), mean) in row.iter_mut().zip(&mut from_bias).zip(&mut mean) {
            *from_bias += f64::from(b) * f64::from(*v);
            *v *= w;
            *mean += f64::from(*v);
        }
    }
    let rows = affine.weight.len() as f64;
    let mean: Vec<f32> = mean.iter().map(|m| (m / rows) as f32).collect();
    for row in weight.chunks_exact_mut(width) {
        for (v, mean) in row.iter_mut().zip(&mean) {
            *v -= mean;
        }
    }
    for (b, from_bias) in bias.iter_mut().zip(from_bias) {
        *b = (f64::from(*b) + from_bias) as f32;
    }
}
