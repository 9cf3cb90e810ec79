//! The query and key weights of one head, applied to the normalized residual stream.

use candle_core::Tensor;

use crate::compute::engine::{Block, BlockMatrix};
use crate::compute::tensor;
use crate::error::Result;
use crate::math;
use crate::model::Config;
use crate::model::layer_norm::{self, LayerNorm};
use crate::names::{Head, Side};

/// W_Q, b_Q, W_K and b_K of one head, always with LayerNorm's weight and bias folded in.
///
/// Without [`crate::model::Processing::fold_ln`] they are folded here: the scores are the same, and a score is then
/// linear in `(x - mean) / ln_scale` in every case.
pub struct HeadWeights {
    d_model: usize,
    d_head: usize,
    /// Divisor of the product of query and key.
    divisor: f64,
    ln: LayerNorm,
    w_q: Vec<f32>,
    b_q: Vec<f32>,
    w_k: Vec<f32>,
    b_k: Vec<f32>,
}

impl HeadWeights {
    /// The weights of `head`; `block` has the weights of its layer.
    pub(crate) async fn of(block: &dyn Block, config: &Config, head: Head) -> Result<Self> {
        let (w_q, b_q) = columns(block, config, head.head * config.d_head()).await?;
        let (w_k, b_k) = columns(block, config, config.d_model + head.head * config.d_head()).await?;
        let ln = LayerNorm {
            eps: block.input().ln_1.eps,
            affine: None,
        };
        Ok(Self {
            d_model: config.d_model,
            d_head: config.d_head(),
            divisor: config.score_divisor(head.layer),
            ln,
            w_q,
            b_q,
            w_k,
            b_k,
        })
    }

    /// Width of the head.
    pub fn d_head(&self) -> usize {
        self.d_head
    }

    /// `(x - mean) / ln_scale` of `resid_pre [rows, d_model]`, and `ln_scale`, `[rows]`.
    pub fn normalize(&self, resid_pre: &[f32]) -> (Vec<f32>, Vec<f32>) {
        self.ln.normalize(resid_pre, self.d_model)
    }

    /// Length after LayerNorm of a centered vector of `length`: `length / sqrt(length^2 / d_model + eps)`.
    pub(crate) fn normalized_length(&self, length: f64) -> f32 {
        (length / (length * length / self.d_model as f64 + self.ln.eps).sqrt()) as f32
    }

    /// Queries, `[rows, d_head]`, of normalized rows, `[rows, d_model]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] if a tensor operation fails.
    pub fn queries(&self, normalized: Vec<f32>) -> Result<Vec<f32>> {
        project(normalized, &self.w_q, &self.b_q)
    }

    /// Keys, `[rows, d_head]`, of normalized rows, `[rows, d_model]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] if a tensor operation fails.
    pub fn keys(&self, normalized: Vec<f32>) -> Result<Vec<f32>> {
        project(normalized, &self.w_k, &self.b_k)
    }

    /// W_Q or W_K, `[d_model, d_head]`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] if a tensor operation fails.
    pub fn weight(&self, side: Side) -> Result<Tensor> {
        tensor::matrix(self.side(side).0.to_vec(), self.d_head)
    }

    /// b_Q or b_K, `[d_head]`.
    pub fn bias(&self, side: Side) -> &[f32] {
        self.side(side).1
    }

    /// `vector [d_model]` times W_Q or W_K, without the bias, `[d_head]`; accumulated in f64.
    pub fn read(&self, side: Side, vector: &[f32]) -> Vec<f32> {
        let wide: Vec<f64> = vector.iter().copied().map(f64::from).collect();
        let read = self.read_wide(side, &wide);
        read.into_iter().map(|total| total as f32).collect()
    }

    /// The same for a vector in f64, without rounding.
    pub fn read_wide(&self, side: Side, vector: &[f64]) -> Vec<f64> {
        let mut total = vec![0f64; self.d_head];
        for (row, &v) in self.side(side).0.chunks_exact(self.d_head).zip(vector) {
            for (total, &w) in total.iter_mut().zip(row) {
                *total += v * f64::from(w);
            }
        }
        total
    }

    /// W_Q or W_K by column, `[d_head][d_model]`, in f64.
    pub fn columns_wide(&self, side: Side) -> Vec<Vec<f64>> {
        let weight = self.side(side).0;
        let column = |number: usize| weight.iter().skip(number).step_by(self.d_head).copied().map(f64::from);
        (0..self.d_head).map(|number| column(number).collect()).collect()
    }

    /// Divisor of the product of query and key, see [`HeadWeights::score`].
    pub fn divisor(&self) -> f64 {
        self.divisor
    }

    fn side(&self, side: Side) -> (&[f32], &[f32]) {
        match side {
            Side::Query => (&self.w_q, &self.b_q),
            Side::Key => (&self.w_k, &self.b_k),
        }
    }

    /// `query . key` over the model's divisor, `sqrt(d_head)` in GPT-2 itself ([`Config::score_divisor`]).
    pub fn score(&self, query: &[f32], key: &[f32]) -> f32 {
        (math::dot(query, key) / self.divisor) as f32
    }

    /// The score as a function of the normalized vector at the query's position, keys fixed: `map = W_Q k / divisor`,
    /// `[d_model]`, and `bias = b_Q . k / divisor`.
    pub fn map_with_key(&self, key: &[f32]) -> (Vec<f32>, f32) {
        self.map(&self.w_q, &self.b_q, key)
    }

    /// The score as a function of the normalized vector at the key's position, queries fixed: `map = W_K q / divisor`,
    /// `[d_model]`, and `bias = b_K . q / divisor`.
    pub fn map_with_query(&self, query: &[f32]) -> (Vec<f32>, f32) {
        self.map(&self.w_k, &self.b_k, query)
    }

    /// [`HeadWeights::map_with_key`] or [`HeadWeights::map_with_query`] for any vector at the other end, such as a part of a key,
    /// without the bias and in f64: `W_Q fixed / divisor` or `W_K fixed / divisor`, `[d_model]`.
    pub fn map_wide(&self, side: Side, fixed: &[f64]) -> Vec<f64> {
        let rows = self.side(side).0.chunks_exact(self.d_head);
        rows.map(|row| math::dot_wide(fixed, row) / self.divisor).collect()
    }

    fn map(&self, weight: &[f32], bias: &[f32], fixed: &[f32]) -> (Vec<f32>, f32) {
        let map = weight
            .chunks_exact(self.d_head)
            .map(|row| self.score(row, fixed))
            .collect();
        (map, self.score(bias, fixed))
    }
}

/// One head's columns of c_attn from `start` on, `[d_model, d_head]`, and their biases, LayerNorm folded in.
pub(super) async fn columns(block: &dyn Block, config: &Config, start: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let (input, columns) = (block.input(), start..start + config.d_head());
    let mut bias = input.b_qkv[columns.clone()].to_vec();
    let mut weight = block.read(BlockMatrix::Qkv, 0..config.d_model, columns).await?;
    if let Some(affine) = &input.ln_1.affine {
        layer_norm::fold(affine, &mut weight, &mut bias);
    }
    Ok((weight, bias))
}

/// `input [rows, d_model] W + b`.
fn project(input: Vec<f32>, weight: &[f32], bias: &[f32]) -> Result<Vec<f32>> {
    let weight = Tensor::from_slice(
        weight,
        (weight.len() / bias.len(), bias.len()),
        &candle_core::Device::Cpu,
    )?;
    let mut out = tensor::to_vec(&tensor::product(input, &weight)?)?;
    out.chunks_exact_mut(bias.len()).for_each(|row| math::add(row, bias));
    Ok(out)
}
