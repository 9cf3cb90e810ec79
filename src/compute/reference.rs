//! A reference implementation of a block in float64, one row at a time, for tests.

use super::contract::Numbers;
use crate::compute::engine::{Block, Engine};
use crate::compute::rows::Edit;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::layer_norm::{Affine, LayerNorm};
use crate::model::{Activation, Config};
use crate::names::BlockHook;

/// Weights of one block.
pub(super) struct Weights {
    d: usize,
    d_mlp: usize,
    /// Weight and bias of both LayerNorms, if they have some.
    affine: Option<[(Vec<f32>, Vec<f32>); 2]>,
    pub(super) w_qkv: Vec<f32>,
    b_qkv: Vec<f32>,
    pub(super) w_o: Vec<f32>,
    b_o: Vec<f32>,
    w_in: Vec<f32>,
    b_in: Vec<f32>,
    pub(super) w_out: Vec<f32>,
    b_out: Vec<f32>,
}

const EPS: f64 = 1e-5;

impl Weights {
    pub(super) fn new(config: &Config, numbers: &mut Numbers, affine: bool) -> Self {
        let (d, d_mlp) = (config.d_model, config.d_mlp);
        let scale = 1.0 / (d as f32).sqrt();
        Self {
            d,
            d_mlp,
            affine: affine.then(|| [(); 2].map(|()| (numbers.vector(d, 1.0), numbers.vector(d, 0.3)))),
            w_qkv: numbers.vector(3 * d * d, scale),
            b_qkv: numbers.vector(3 * d, 0.3),
            w_o: numbers.vector(d * d, scale),
            b_o: numbers.vector(d, 0.3),
            w_in: numbers.vector(d * d_mlp, scale),
            b_in: numbers.vector(d_mlp, 0.3),
            w_out: numbers.vector(d * d_mlp, scale),
            b_out: numbers.vector(d, 0.3),
        }
    }

    fn layer_norm(&self, which: usize) -> LayerNorm {
        let affine = self.affine.as_ref().map(|both| Affine {
            weight: both[which].0.clone(),
            bias: both[which].1.clone(),
        });
        LayerNorm { eps: EPS, affine }
    }

    /// The first part.
    pub(super) fn input(&self) -> AttentionInputWeights {
        AttentionInputWeights {
            ln_1: self.layer_norm(0),
            w_qkv: self.w_qkv.clone(),
            b_qkv: self.b_qkv.clone(),
            folded_b_v: None,
        }
    }

    /// A block of `engine` with these weights.
    pub(super) fn given_to(&self, engine: &dyn Engine) -> Box<dyn Block> {
        let mut block = engine.take(self.input()).unwrap();
        let rest = BlockRestWeights {
            w_o: self.w_o.clone(),
            b_o: self.b_o.clone(),
            ln_2: self.layer_norm(1),
            w_in: self.w_in.clone(),
            b_in: self.b_in.clone(),
            w_out: self.w_out.clone(),
            b_out: self.b_out.clone(),
        };
        block.take_rest(rest).unwrap();
        block
    }
}

/// The rows of a block with all their activations.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) resid: Vec<f64>,
    pub(super) qkv: Vec<f64>,
    rows: Vec<ReferenceRow>,
}

/// The activations of one row at each hook; for hooks of heads, all heads side by side.
#[derive(Default)]
struct ReferenceRow {
    at: Vec<(BlockHook, Vec<f64>)>,
}

impl ReferenceRow {
    /// Applies the edits at `hook` to `values`, and stores them.
    fn keep(&mut self, hook: BlockHook, values: &mut [f64], edits: &[&Edit], width: usize) {
        for edit in edits.iter().filter(|edit| edit.hook == hook) {
            let start = edit.head.unwrap_or(0) * width;
            for (value, new) in values[start..].iter_mut().zip(&edit.value) {
                *value = f64::from(*new);
            }
        }
        self.at.push((hook, values.to_vec()));
    }
}

impl Reference {
    /// Takes rows `resid [rows, d_model]` through the block.
    pub(super) fn through(
        config: &Config,
        layer: usize,
        weights: &Weights,
        parents: &[Option<usize>],
        resid: &[f32],
        edits: &[Edit],
    ) -> Self {
        let mut plain = Self::default();
        for (row, x) in resid.chunks_exact(config.d_model).enumerate() {
            let edits: Vec<&Edit> = edits.iter().filter(|edit| edit.row == row).collect();
            let sources: Vec<usize> = std::iter::successors(Some(row), |&row| parents[row]).collect();
            plain.row(config, layer, weights, (&sources, x), &edits);
        }
        plain
    }

    fn row(&mut self, config: &Config, layer: usize, w: &Weights, (sources, x): (&[usize], &[f32]), edits: &[&Edit]) {
        let (d, d_head) = (config.d_model, config.d_head());
        let mut row = ReferenceRow::default();
        let mut x = wide(x);
        row.keep(BlockHook::ResidPre, &mut x, edits, d);
        let mut scale = [scale_of(&x)];
        let own = scale[0];
        row.keep(BlockHook::Ln1Scale, &mut scale, edits, 1);
        let qkv = product(
            &norm(&x, own / scale[0], w.affine.as_ref().map(|both| &both[0])),
            &w.w_qkv,
            &w.b_qkv,
        );
        let inputs = [BlockHook::QInput, BlockHook::KInput, BlockHook::VInput];
        let made = [BlockHook::Q, BlockHook::K, BlockHook::V];
        for (part, (made_from, made)) in inputs.into_iter().zip(made).enumerate() {
            let mut input = x.repeat(config.n_head);
            row.keep(made_from, &mut input, edits, d);
            let mut of_part = qkv[part * d..][..d].to_vec();
            for edit in edits.iter().filter(|edit| edit.hook == made_from) {
                let start = edit.head.unwrap() * d_head;
                let normed = norm(&wide(&edit.value), 1.0, w.affine.as_ref().map(|both| &both[0]));
                let all = product(&normed, &w.w_qkv, &w.b_qkv);
                of_part[start..][..d_head].copy_from_slice(&all[part * d + start..][..d_head]);
            }
            row.keep(made, &mut of_part, edits, d_head);
            self.qkv.extend(of_part);
        }
        let part = |row: usize, which: usize, head: usize| &self.qkv[(3 * row + which) * d + head * d_head..][..d_head];
        let (mut scores, mut pattern, mut z) = (Vec::new(), Vec::new(), Vec::new());
        for head in 0..config.n_head {
            let score =
                |&source: &usize| dot(part(sources[0], 0, head), part(source, 1, head)) / config.score_divisor(layer);
            scores.extend(sources.iter().rev().map(score));
        }
        row.keep(BlockHook::AttnScores, &mut scores, edits, sources.len());
        for of_head in scores.chunks(sources.len()) {
            let most = of_head.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = of_head.iter().map(|score| (score - most).exp()).sum();
            pattern.extend(of_head.iter().map(|score| (score - most).exp() / total));
        }
        row.keep(BlockHook::Pattern, &mut pattern, edits, sources.len());
        for (head, of_head) in pattern.chunks(sources.len()).enumerate() {
            z.extend((0..d_head).map(|at| {
                let weighted = of_head.iter().zip(sources.iter().rev());
                weighted.map(|(p, &source)| p * part(source, 2, head)[at]).sum::<f64>()
            }));
        }
        row.keep(BlockHook::Z, &mut z, edits, d_head);
        let zeros = vec![0.0; d];
        let mut result: Vec<f64> = (0..config.n_head)
            .flat_map(|head| {
                product(
                    &z[head * d_head..][..d_head],
                    &w.w_o[head * d_head * d..][..d_head * d],
                    &zeros,
                )
            })
            .collect();
        row.keep(BlockHook::Result, &mut result, edits, d);
        let mid: Vec<f64> = product(&z, &w.w_o, &w.b_o).iter().zip(&x).map(|(a, b)| a + b).collect();
        let mut hidden = w.hidden(config, &mid);
        row.keep(BlockHook::MlpPost, &mut hidden, edits, w.d_mlp);
        let mut mlp_out = product(&hidden, &w.w_out, &w.b_out);
        row.keep(BlockHook::MlpOut, &mut mlp_out, edits, d);
        self.resid.extend(mid.iter().zip(&mlp_out).map(|(a, b)| a + b));
        self.rows.push(row);
    }

    /// The activation at `hook` of `row` for `heads`.
    pub(super) fn tapped(&self, config: &Config, hook: BlockHook, row: usize, heads: &[usize]) -> Vec<f64> {
        let (_, values) = self.rows[row].at.iter().find(|(at, _)| *at == hook).unwrap();
        if hook.is_of_head() {
            let width = values.len() / config.n_head;
            heads
                .iter()
                .flat_map(|head| &values[head * width..][..width])
                .copied()
                .collect()
        } else {
            values.clone()
        }
    }

    /// The effective embedding of rows: the result, and the output of the MLP.
    pub(super) fn effective_embedding(config: &Config, w: &Weights, x: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let d = config.d_model;
        let (mut resid_post, mut all_mlp_out) = (Vec::new(), Vec::new());
        let zeros = vec![0.0; 3 * d];
        for x in x.chunks_exact(d) {
            let x = wide(x);
            let without_bias = w.affine.as_ref().map(|both| (both[0].0.clone(), vec![0.0; d]));
            let qkv = product(&norm(&x, 1.0, without_bias.as_ref()), &w.w_qkv, &zeros);
            let attention = product(&qkv[2 * d..], &w.w_o, &zeros[..d]);
            let mid: Vec<f64> = attention.iter().zip(&x).map(|(a, b)| a + b).collect();
            let mlp_out = product(&w.hidden(config, &mid), &w.w_out, &w.b_out);
            resid_post.extend(mid.iter().zip(&mlp_out).map(|(a, b)| a + b));
            all_mlp_out.extend(mlp_out);
        }
        (resid_post, all_mlp_out)
    }
}

impl Weights {
    /// Neurons after the activation function.
    fn hidden(&self, config: &Config, mid: &[f64]) -> Vec<f64> {
        assert_eq!(mid.len(), self.d);
        let mut hidden = product(
            &norm(mid, 1.0, self.affine.as_ref().map(|both| &both[1])),
            &self.w_in,
            &self.b_in,
        );
        for v in &mut hidden {
            *v = match config.activation_function {
                Activation::GeluNew => *v / (1.0 + (-1.595_769_121_605_730_7 * (*v + 0.044_715 * v.powi(3))).exp()),
                Activation::Gelu => *v * normal_cdf(*v),
                Activation::Relu => v.max(0.0),
                Activation::Silu => *v / (1.0 + (-*v).exp()),
            };
        }
        hidden
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().copied().map(f64::from).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn scale_of(x: &[f64]) -> f64 {
    let mean = mean(x);
    (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64 + EPS).sqrt()
}

/// LayerNorm of `x`, with the normalized values multiplied by `factor` before weight and bias.
fn norm(x: &[f64], factor: f64, affine: Option<&(Vec<f32>, Vec<f32>)>) -> Vec<f64> {
    let (mean, scale) = (mean(x), scale_of(x));
    let normed = x.iter().map(|v| (v - mean) / scale * factor);
    match affine {
        None => normed.collect(),
        Some((weight, bias)) => normed
            .zip(weight.iter().zip(bias))
            .map(|(v, (w, b))| v * f64::from(*w) + f64::from(*b))
            .collect(),
    }
}

/// `x W + b`.
fn product(x: &[f64], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let mut out = wide(bias);
    for (row, v) in weight.chunks_exact(bias.len()).zip(x) {
        out.iter_mut().zip(row).for_each(|(out, w)| *out += v * f64::from(*w));
    }
    out
}

/// The normal distribution function by Simpson's rule: slow but accurate.
fn normal_cdf(x: f64) -> f64 {
    const STEPS: usize = 2_000;
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let width = x / STEPS as f64;
    let inner: f64 = (1..STEPS)
        .map(|step| density(step as f64 * width) * if step % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    0.5 + (density(0.0) + inner + density(x)) * width / 3.0
}
