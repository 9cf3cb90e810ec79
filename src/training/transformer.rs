//! GPT-2's architecture (Radford et al. 2019) with gradients, under the names of the Hugging Face layout.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};

use super::ops::{CausalSoftmax, CrossEntropy, Gelu, LayerNorm};
use super::prompts::Sample;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, tensors};
use crate::prompts::ioi::random::NumpyRandom;

/// Standard deviation of initial weights, as in GPT-2.
const INITIAL_STD: f64 = 0.02;

/// What a forward pass yields.
pub struct Forward {
    /// Logits `[batch * pos, d_vocab]`.
    pub logits: Tensor,
    /// Attention patterns `[batch, head, query pos, key pos]`, one per layer.
    pub attention: Vec<Tensor>,
    /// Positions per row of the batch: those of the longest prompt.
    pub positions: usize,
}

/// The weights, trainable.
pub struct Transformer {
    config: Config,
    vars: BTreeMap<String, Var>,
}

impl Transformer {
    /// Fresh weights: normal with standard deviation 0.02 (over sqrt(2 n_layer) for maps that write to the
    /// residual stream), LayerNorm weights 1, biases 0; drawn from NumPy's generator with `seed`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when memory can't be had.
    pub fn new(config: Config, seed: u32) -> Result<Self> {
        let mut numpy = NumpyRandom::new(seed);
        let residual_std = INITIAL_STD / (2.0 * config.n_layer as f64).sqrt();
        let mut vars = BTreeMap::new();
        for (name, shape) in tensors::required(&config) {
            let count = shape.iter().product();
            let values: Vec<f32> = if name.contains("ln_") {
                vec![if name.ends_with(".weight") { 1.0 } else { 0.0 }; count]
            } else if name.ends_with(".bias") {
                vec![0.0; count]
            } else {
                let std = if name.ends_with("c_proj.weight") {
                    residual_std
                } else {
                    INITIAL_STD
                };
                (0..count).map(|_| (std * numpy.standard_normal()) as f32).collect()
            };
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

    /// Runs `samples`, padded on the right to the longest.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails, for example for a prompt beyond `n_ctx`.
    pub fn forward(&self, samples: &[Sample]) -> Result<Forward> {
        let batch = samples.len();
        let positions = samples.iter().map(|sample| sample.tokens.len()).max().unwrap_or(0);
        let mut tokens = vec![self.config.bos_token_id.unwrap_or_default(); batch * positions];
        for (row, sample) in tokens.chunks_exact_mut(positions.max(1)).zip(samples) {
            row[..sample.tokens.len()].copy_from_slice(&sample.tokens);
        }
        let d_model = self.config.d_model;
        let tokens = Tensor::from_vec(tokens, batch * positions, &Device::Cpu)?;
        let wte = self.var("wte.weight")?;
        let wpe = self.var("wpe.weight")?.narrow(0, 0, positions)?;
        let embedded = wte.index_select(&tokens, 0)?.reshape((batch, positions, d_model))?;
        let mut resid = embedded.broadcast_add(&wpe)?.reshape((batch * positions, d_model))?;
        let mut attention = Vec::with_capacity(self.config.n_layer);
        for layer in 0..self.config.n_layer {
            let (after, pattern) = self.block(&resid, layer, batch, positions)?;
            resid = after;
            attention.push(pattern);
        }
        let logits = self.layer_norm(&resid, "ln_f")?.matmul(&wte.t()?)?;
        Ok(Forward {
            logits,
            attention,
            positions,
        })
    }

    /// The loss on `samples`: mean cross-entropy of the final name, plus `text_weight` times that of all
    /// the tokens before it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails.
    pub fn loss(&self, samples: &[Sample], text_weight: f32) -> Result<Tensor> {
        let forward = self.forward(samples)?;
        let rows = samples.len() * forward.positions;
        let (mut targets, mut weights) = (vec![0u32; rows], vec![0f32; rows]);
        let text_tokens: usize = samples.iter().map(|sample| sample.positions.end).sum();
        for (index, sample) in samples.iter().enumerate() {
            let start = index * forward.positions;
            let predicted = sample.positions.end + 1;
            targets[start..start + predicted].copy_from_slice(&sample.tokens[1..]);
            weights[start..start + predicted].fill(text_weight / text_tokens as f32);
            weights[start + sample.positions.end] = 1.0 / samples.len() as f32;
        }
        Ok(forward.logits.apply_op1(CrossEntropy { targets, weights })?)
    }

    /// One block: `resid_pre` `[batch * pos, d_model]` to `resid_post`, and the attention pattern.
    fn block(&self, resid_pre: &Tensor, layer: usize, batch: usize, positions: usize) -> Result<(Tensor, Tensor)> {
        let (n_head, d_head) = (self.config.n_head, self.config.d_head());
        let name = |part: &str| format!("h.{layer}.{part}");
        let normalised = self.layer_norm(resid_pre, &name("ln_1"))?;
        let qkv = self
            .linear(&normalised, &name("attn.c_attn"))?
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
        let normalised = self.layer_norm(&resid_mid, &name("ln_2"))?;
        let hidden = self.linear(&normalised, &name("mlp.c_fc"))?.apply_op1(Gelu)?;
        let resid_post = (&resid_mid + self.linear(&hidden, &name("mlp.c_proj"))?)?;
        Ok((resid_post, pattern))
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

fn internal(cause: String) -> Error {
    Error::new(ErrorKind::Internal, cause)
}
