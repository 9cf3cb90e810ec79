//! GPT-2's architecture (Radford et al. 2019) with gradients, under the names of the Hugging Face layout.

use std::collections::{BTreeMap, HashMap};

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};

use super::ops::{CausalSoftmax, CrossEntropy, Gelu, LayerNorm, Surprisal};
use super::sequence::Sequence;
use super::start::{Weight, initial_weights};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;

/// Longer gradients are scaled down to this length.
const LONGEST_GRADIENT: f32 = 2.0;

/// The output of a forward pass.
pub struct Forward {
    /// The residual stream after all blocks and the final LayerNorm, `[batch * pos, d_model]`.
    pub normalized: Tensor,
    /// Attention patterns `[batch, head, query pos, key pos]`, one per layer.
    pub attention: Vec<Tensor>,
    /// Positions per row of the batch: those of the longest sequence.
    pub positions: usize,
}

/// Trainable weights of GPT-2.
pub struct Transformer {
    config: Config,
    vars: BTreeMap<String, Var>,
}

impl Transformer {
    /// The weights of [`initial_weights`], drawn with `seed`.
    ///
    /// # Errors
    /// Those of [`initial_weights`]; [`ErrorKind::Internal`] when memory can't be had.
    pub fn new(config: Config, seed: u32) -> Result<Self> {
        let mut vars = BTreeMap::new();
        for (name, Weight { values, shape }) in initial_weights(&config, seed)? {
            vars.insert(name, Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?);
        }
        Ok(Self { config, vars })
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All weights in a fixed order, for an optimizer.
    pub fn vars(&self) -> Vec<Var> {
        self.vars.values().cloned().collect()
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.vars.values().map(|var| var.elem_count()).sum()
    }

    /// Rounds every weight to the f16 that the file will hold.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails.
    pub fn round_to_f16(&self) -> Result<()> {
        for var in self.vars.values() {
            var.set(&var.to_dtype(DType::F16)?.to_dtype(DType::F32)?)?;
        }
        Ok(())
    }

    /// The bytes of `model.safetensors`, weights as F16.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a weight is not finite in f16 or the file can't be laid out.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let mut buffers = Vec::with_capacity(self.vars.len());
        for (name, var) in &self.vars {
            let values = var.flatten_all()?.to_dtype(DType::F16)?.to_vec1::<half::f16>()?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(internal(format!("{name} has a weight that f16 can't hold")));
            }
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            buffers.push((name, var.dims().to_vec(), bytes));
        }
        let views = buffers
            .iter()
            .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F16, shape.clone(), bytes)?)))
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| internal(error.to_string()))?;
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| internal(error.to_string()))
    }

    /// Runs `sequences`, padded on the right to the longest.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails, for example for a position beyond `n_ctx`.
    pub fn forward(&self, sequences: &[Sequence]) -> Result<Forward> {
        let batch = sequences.len();
        let positions = sequences
            .iter()
            .map(|sequence| sequence.tokens.len())
            .max()
            .unwrap_or(0);
        let (mut tokens, mut places) = (Vec::new(), Vec::new());
        for sequence in sequences {
            let padding = std::iter::repeat(self.config.bos_token_id.unwrap_or_default());
            tokens.extend(sequence.tokens.iter().copied().chain(padding).take(positions));
            places.extend((0..positions).map(|position| (sequence.first_position + position) as u32));
        }
        let mut resid = (self.rows("wte.weight", tokens)? + self.rows("wpe.weight", places)?)?;
        let mut attention = Vec::with_capacity(self.config.n_layer);
        for layer in 0..self.config.n_layer {
            let (after, pattern) = self.block(&resid, layer, batch, positions)?;
            resid = after;
            attention.push(pattern);
        }
        Ok(Forward {
            normalized: self.layer_norm(&resid, "ln_f")?,
            attention,
            positions,
        })
    }

    /// Logits `[rows, d_vocab]` at some rows of [`Forward::normalized`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for a row that does not exist, or when a tensor operation fails.
    pub fn logits(&self, forward: &Forward, rows: Vec<u32>) -> Result<Tensor> {
        let at_rows = forward.normalized.index_select(&indices(rows)?, 0)?;
        Ok(at_rows.matmul(&self.var("wte.weight")?.t()?)?)
    }

    /// The loss on `sequences`: the weighted sum of their targets' cross-entropies, and `guidance` times that of their
    /// guided cells' surprisals.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails.
    pub fn loss(&self, sequences: &[Sequence], guidance: f32) -> Result<Tensor> {
        let forward = self.forward(sequences)?;
        let (mut rows, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let mut cells: Vec<Vec<(usize, f32)>> = vec![Vec::new(); self.config.n_layer];
        for (index, sequence) in sequences.iter().enumerate() {
            for target in &sequence.targets {
                rows.push((index * forward.positions + target.after) as u32);
                targets.push(target.token);
                weights.push(target.weight);
            }
            for guide in &sequence.guides {
                let pattern = index * self.config.n_head + guide.head.head;
                let cell = (pattern * forward.positions + guide.query) * forward.positions + guide.key;
                if let Some(cells) = cells.get_mut(guide.head.layer) {
                    cells.push((cell, guidance * guide.weight));
                }
            }
        }
        let logits = self.logits(&forward, rows)?;
        let mut loss = logits.apply_op1(CrossEntropy { targets, weights })?;
        for (pattern, cells) in forward.attention.iter().zip(cells) {
            if guidance > 0.0 && !cells.is_empty() {
                loss = (loss + pattern.apply_op1(Surprisal { cells })?)?;
            }
        }
        Ok(loss)
    }

    /// The gradient of the summed losses of `parts`, clipped, and each part's loss; see [`Transformer::loss`].
    ///
    /// Each part has a thread of its own, which beats candle's threads, as these wait for each other at every operation.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails.
    pub fn gradients(&self, parts: [&[Sequence]; 2], guidance: f32) -> Result<(GradStore, [f32; 2])> {
        let of_part = |part: &[Sequence]| {
            let loss = self.loss(part, guidance)?;
            Ok::<_, Error>((loss.backward()?, loss.to_scalar::<f32>()?))
        };
        let [first, second] = std::thread::scope(|scope| {
            let handles = parts.map(|part| scope.spawn(move || of_part(part)));
            handles.map(|handle| {
                let failed = |_| Err(internal("a thread of the training failed".to_owned()));
                handle.join().unwrap_or_else(failed)
            })
        });
        let ((mut gradients, loss), (others, other_loss)) = (first?, second?);
        let mut squares = 0.0;
        for var in self.vars.values() {
            let sum = match (gradients.remove(var), others.get(var)) {
                (Some(gradient), Some(other)) => (gradient + other)?,
                (Some(gradient), None) => gradient,
                (None, Some(other)) => other.clone(),
                (None, None) => continue,
            };
            squares += sum.sqr()?.sum_all()?.to_scalar::<f32>()?;
            gradients.insert(var, sum);
        }
        let shrink = f64::from(LONGEST_GRADIENT / squares.sqrt()).min(1.0);
        for var in self.vars.values() {
            if let Some(gradient) = gradients.remove(var) {
                gradients.insert(var, (gradient * shrink)?);
            }
        }
        Ok((gradients, [loss, other_loss]))
    }

    /// One block: `resid_pre` `[batch * pos, d_model]` to `resid_post`, and the attention pattern.
    fn block(&self, resid_pre: &Tensor, layer: usize, batch: usize, positions: usize) -> Result<(Tensor, Tensor)> {
        let (n_head, d_head) = (self.config.n_head, self.config.d_head());
        let name = |part: &str| format!("h.{layer}.{part}");
        let normalized = self.layer_norm(resid_pre, &name("ln_1"))?;
        let qkv = self
            .linear(&normalized, &name("attn.c_attn"))?
            .reshape((batch, positions, 3, n_head, d_head))?;
        let part = |index| qkv.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scale = (d_head as f32).sqrt().recip();
        let pattern = q.matmul(&k.t()?)?.apply_op1(CausalSoftmax { scale })?;
        let z = pattern
            .matmul(&v)?
            .transpose(1, 2)?
            .reshape((batch * positions, n_head * d_head))?;
        let resid_mid = (resid_pre + self.linear(&z, &name("attn.c_proj"))?)?;
        let normalized = self.layer_norm(&resid_mid, &name("ln_2"))?;
        let hidden = self.linear(&normalized, &name("mlp.c_fc"))?.apply_op1(Gelu)?;
        let resid_post = (&resid_mid + self.linear(&hidden, &name("mlp.c_proj"))?)?;
        Ok((resid_post, pattern))
    }

    /// Rows of a weight matrix, `[rows, d_model]`.
    fn rows(&self, name: &str, rows: Vec<u32>) -> Result<Tensor> {
        Ok(self.var(name)?.index_select(&indices(rows)?, 0)?)
    }

    fn layer_norm(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let eps = self.config.layer_norm_epsilon as f32;
        let (weight, bias) = (self.var(&format!("{name}.weight"))?, self.var(&format!("{name}.bias"))?);
        Ok(x.apply_op3(weight, bias, LayerNorm { eps })?)
    }

    /// Conv1D: `x W + b` with `W` stored `[in, out]`.
    fn linear(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let (weight, bias) = (self.var(&format!("{name}.weight"))?, self.var(&format!("{name}.bias"))?);
        Ok(x.matmul(weight)?.broadcast_add(bias)?)
    }

    fn var(&self, name: &str) -> Result<&Tensor> {
        match self.vars.get(name) {
            Some(var) => Ok(var),
            None => Err(internal(format!("the model has no weight {name}"))),
        }
    }
}

fn indices(rows: Vec<u32>) -> Result<Tensor> {
    let count = rows.len();
    Ok(Tensor::from_vec(rows, count, &Device::Cpu)?)
}

fn internal(cause: String) -> Error {
    Error::new(ErrorKind::Internal, cause)
}
