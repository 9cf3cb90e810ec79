//! GPT-2's forward pass in float64, written directly from the formulas of the paper, as the reference for
//! configurations.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use keyside::checkpoint::MemorySource;
use serde_json::Value;

/// Weights by name without prefix, in float64; and `config.json`.
pub struct Reference {
    config: Value,
    weights: BTreeMap<String, Vec<f64>>,
}

/// The reference values for one sequence.
pub struct Outcome {
    /// `[layer][head][query position][key position]`, key positions up to the query's.
    pub scores: Vec<Vec<Vec<Vec<f64>>>>,
    /// The same after the softmax.
    pub pattern: Vec<Vec<Vec<Vec<f64>>>>,
    /// `[position][d_vocab]`.
    pub log_probs: Vec<Vec<f64>>,
}

impl Reference {
    /// Reads the files of a checkpoint, whose weights are F32 and F64.
    pub fn new(source: &MemorySource) -> Self {
        let file = safetensors::SafeTensors::deserialize(source.get("model.safetensors").unwrap()).unwrap();
        let value = |bytes: &[u8]| match bytes.len() {
            4 => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
            _ => f64::from_le_bytes(bytes.try_into().unwrap()),
        };
        let weights = file.tensors().into_iter().map(|(name, tensor)| {
            let size = tensor.dtype().bitsize() / 8;
            let name = name.strip_prefix("transformer.").unwrap_or(&name).to_owned();
            (name, tensor.data().chunks_exact(size).map(value).collect())
        });
        Self {
            weights: weights.collect(),
            config: serde_json::from_slice(source.get("config.json").unwrap()).unwrap(),
        }
    }

    fn size(&self, name: &str) -> usize {
        self.config[name].as_u64().unwrap() as usize
    }

    fn is(&self, name: &str, default: bool) -> bool {
        self.config.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    fn weight(&self, name: &str) -> &[f64] {
        &self.weights[name]
    }

    /// A bias, 0 where there is none.
    fn bias(&self, name: &str, length: usize) -> Vec<f64> {
        self.weights.get(name).cloned().unwrap_or_else(|| vec![0.0; length])
    }

    /// `x W + b`, `W [in, out]`.
    fn linear(&self, x: &[f64], name: &str) -> Vec<f64> {
        let weight = self.weight(&format!("{name}.weight"));
        let out = weight.len() / x.len();
        let mut y = self.bias(&format!("{name}.bias"), out);
        for (row, x) in weight.chunks_exact(out).zip(x) {
            y.iter_mut().zip(row).for_each(|(y, w)| *y += x * w);
        }
        y
    }

    fn layer_norm(&self, x: &[f64], name: &str) -> Vec<f64> {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let epsilon = self
            .config
            .get("layer_norm_epsilon")
            .and_then(Value::as_f64)
            .unwrap_or(1e-5);
        let weight = self.weight(&format!("{name}.weight"));
        let bias = self.bias(&format!("{name}.bias"), x.len());
        let normalized = x.iter().map(|v| (v - mean) / (variance + epsilon).sqrt());
        normalized.zip(weight).zip(bias).map(|((v, w), b)| v * w + b).collect()
    }

    fn activation(&self, x: f64) -> f64 {
        match self.config["activation_function"].as_str().unwrap_or("gelu_new") {
            "gelu" => 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt())),
            "relu" => x.max(0.0),
            "silu" => x / (1.0 + (-x).exp()),
            _ => {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
                0.5 * x * (1.0 + u.tanh())
            }
        }
    }

    /// Runs `tokens`.
    pub fn run(&self, tokens: &[u32]) -> Outcome {
        let (d, heads, layers) = (self.size("n_embd"), self.size("n_head"), self.size("n_layer"));
        let d_head = d / heads;
        let row = |name: &str, index: usize| self.weight(name)[index * d..][..d].to_vec();
        let embed =
            |(position, &token): (usize, &u32)| add(row("wte.weight", token as usize), &row("wpe.weight", position));
        let mut resid: Vec<Vec<f64>> = tokens.iter().enumerate().map(embed).collect();
        let (mut scores, mut pattern) = (vec![], vec![]);
        for layer in 0..layers {
            let name = |part: &str| format!("h.{layer}.{part}");
            let qkv: Vec<Vec<f64>> = resid
                .iter()
                .map(|x| self.linear(&self.layer_norm(x, &name("ln_1")), &name("attn.c_attn")))
                .collect();
            let part = |position: usize, part: usize, head: usize| &qkv[position][part * d + head * d_head..][..d_head];
            let mut divisor = if self.is("scale_attn_weights", true) {
                (d_head as f64).sqrt()
            } else {
                1.0
            };
            if self.is("scale_attn_by_inverse_layer_idx", false) {
                divisor *= layer as f64 + 1.0;
            }
            let of_head = |head: usize| -> Vec<Vec<f64>> {
                let score = |query: usize, key: usize| dot(part(query, 0, head), part(key, 1, head)) / divisor;
                (0..tokens.len())
                    .map(|query| (0..=query).map(|key| score(query, key)).collect())
                    .collect()
            };
            let of_layer: Vec<Vec<Vec<f64>>> = (0..heads).map(of_head).collect();
            let probabilities: Vec<Vec<Vec<f64>>> = of_layer
                .iter()
                .map(|rows| rows.iter().map(|row| softmax(row)).collect())
                .collect();
            for (position, x) in resid.iter_mut().enumerate() {
                let mut z = vec![0.0; d];
                for (head, z) in z.chunks_exact_mut(d_head).enumerate() {
                    for (key, p) in probabilities[head][position].iter().enumerate() {
                        z.iter_mut().zip(part(key, 2, head)).for_each(|(z, v)| *z += p * v);
                    }
                }
                *x = add(x.clone(), &self.linear(&z, &name("attn.c_proj")));
                let mut hidden = self.linear(&self.layer_norm(x, &name("ln_2")), &name("mlp.c_fc"));
                hidden.iter_mut().for_each(|v| *v = self.activation(*v));
                *x = add(x.clone(), &self.linear(&hidden, &name("mlp.c_proj")));
            }
            scores.push(of_layer);
            pattern.push(probabilities);
        }
        let unembedding = match self.weights.get("lm_head.weight") {
            Some(head) => head,
            None => self.weight("wte.weight"),
        };
        let logits = |x: &Vec<f64>| {
            let x = self.layer_norm(x, "ln_f");
            unembedding
                .chunks_exact(d)
                .map(|row| dot(row, &x))
                .collect::<Vec<f64>>()
        };
        let log_probs = resid
            .iter()
            .map(logits)
            .map(|logits| softmax(&logits).iter().map(|p| p.ln()).collect());
        Outcome {
            scores,
            pattern,
            log_probs: log_probs.collect(),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(mut a: Vec<f64>, b: &[f64]) -> Vec<f64> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = x.iter().map(|v| (v - max).exp()).sum();
    x.iter().map(|v| (v - max).exp() / total).collect()
}
