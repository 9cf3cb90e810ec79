//! Differentiable operations that candle has only without a gradient, or only as chains of many tensors.
//!
//! Each is one loop over rows, forwards and backwards, in f32 on the CPU.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, bail};

/// The values of a contiguous f32 tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("a training operation needs a contiguous tensor"),
    }
}

fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn like(values: Vec<f32>, tensor: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, tensor.shape(), tensor.device())
}

/// LayerNorm over the last axis, with weight and bias: `(x - mean) / sqrt(variance + eps) * w + b`.
pub struct LayerNorm {
    pub eps: f32,
}

impl LayerNorm {
    /// Mean of `row`, and one over its scale.
    fn statistics(&self, row: &[f32]) -> (f32, f32) {
        let length = row.len() as f32;
        let mean = row.iter().sum::<f32>() / length;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / length;
        (mean, (variance + self.eps).sqrt().recip())
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight, bias) = (
            values(x, x_layout)?,
            values(weight, weight_layout)?,
            values(bias, bias_layout)?,
        );
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(weight.len()) {
            let (mean, inverse) = self.statistics(row);
            out.extend(
                row.iter()
                    .zip(weight.iter().zip(bias))
                    .map(|(x, (w, b))| (x - mean) * inverse * w + b),
            );
        }
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x_values, w, grad) = (to_vec(x)?, to_vec(weight)?, to_vec(grad)?);
        let width = w.len();
        let mut dx = Vec::with_capacity(x_values.len());
        let (mut dw, mut db) = (vec![0f32; width], vec![0f32; width]);
        let (mut normalized, mut dn) = (vec![0f32; width], vec![0f32; width]);
        for (row, grad) in x_values.chunks_exact(width).zip(grad.chunks_exact(width)) {
            let (mean, inverse) = self.statistics(row);
            for i in 0..width {
                normalized[i] = (row[i] - mean) * inverse;
                dn[i] = grad[i] * w[i];
                dw[i] += grad[i] * normalized[i];
                db[i] += grad[i];
            }
            let mean_dn = dn.iter().sum::<f32>() / width as f32;
            let projection = dn.iter().zip(&normalized).map(|(d, n)| d * n).sum::<f32>() / width as f32;
            dx.extend(
                dn.iter()
                    .zip(&normalized)
                    .map(|(d, n)| inverse * (d - mean_dn - n * projection)),
            );
        }
        Ok((Some(like(dx, x)?), Some(like(dw, weight)?), Some(like(db, bias)?)))
    }
}

/// Attention pattern of scores `[.., query, key]`: scaled, softmax over keys up to the query's own position.
pub struct CausalSoftmax {
    pub scale: f32,
}

impl CustomOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let positions = layout.dims().last().copied().unwrap_or(1);
        let mut pattern = values(scores, layout)?.to_vec();
        for (index, row) in pattern.chunks_exact_mut(positions).enumerate() {
            let (seen, future) = row.split_at_mut(index % positions + 1);
            let max = seen.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for score in seen.iter_mut() {
                *score = (self.scale * (*score - max)).exp();
                sum += *score;
            }
            seen.iter_mut().for_each(|weight| *weight /= sum);
            future.fill(0.0);
        }
        Ok((CpuStorage::F32(pattern), layout.shape().clone()))
    }

    fn bwd(&self, _scores: &Tensor, pattern: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let positions = pattern.dims().last().copied().unwrap_or(1);
        let (weights, mut grad) = (to_vec(pattern)?, to_vec(grad)?);
        for (row, grad) in weights.chunks_exact(positions).zip(grad.chunks_exact_mut(positions)) {
            let mean: f32 = row.iter().zip(grad.iter()).map(|(w, g)| w * g).sum();
            grad.iter_mut()
                .zip(row)
                .for_each(|(g, w)| *g = self.scale * w * (*g - mean));
        }
        Ok(Some(like(grad, pattern)?))
    }
}

/// GELU in the tanh form (`gelu_new`).
pub struct Gelu;

/// sqrt(2 / pi), and the cubic coefficient of the tanh form.
const GELU: (f32, f32) = (0.797_884_6, 0.044_715);

fn gelu_tanh(x: f32) -> f32 {
    // tanh(u) = 1 - 2 / (exp(2u) + 1): one exponential; both limits are right at overflow.
    1.0 - 2.0 / ((2.0 * GELU.0 * (x + GELU.1 * x * x * x)).exp() + 1.0)
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu-new"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = values(x, layout)?
            .iter()
            .map(|&x| 0.5 * x * (1.0 + gelu_tanh(x)))
            .collect();
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut grad = to_vec(grad)?;
        for (g, x) in grad.iter_mut().zip(to_vec(x)?) {
            let t = gelu_tanh(x);
            let slope = GELU.0 * (1.0 + 3.0 * GELU.1 * x * x);
            *g *= 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope;
        }
        Ok(Some(like(grad, x)?))
    }
}

/// Weighted sum over rows of logits `[rows, d_vocab]` of the cross-entropy with one target each: a scalar.
pub struct CrossEntropy {
    pub targets: Vec<u32>,
    /// One per row; rows of weight 0 are skipped.
    pub weights: Vec<f32>,
}

impl CrossEntropy {
    fn row(&self, index: usize) -> Option<(usize, f32)> {
        let weight = *self.weights.get(index)?;
        (weight != 0.0).then_some((*self.targets.get(index)? as usize, weight))
    }
}

fn log_sum_exp(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    max + logits.iter().map(|logit| (logit - max).exp()).sum::<f32>().ln()
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, d_vocab) = layout.shape().dims2()?;
        let mut loss = 0.0;
        for (index, row) in values(logits, layout)?.chunks_exact(d_vocab).enumerate() {
            if let Some((target, weight)) = self.row(index) {
                loss += weight * (log_sum_exp(row) - row[target]);
            }
        }
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, d_vocab) = logits.dims2()?;
        let grad: f32 = grad.to_scalar()?;
        let mut out = to_vec(logits)?;
        for (index, row) in out.chunks_exact_mut(d_vocab).enumerate() {
            let Some((target, weight)) = self.row(index) else {
                row.fill(0.0);
                continue;
            };
            let normalizer = log_sum_exp(row);
            row.iter_mut()
                .for_each(|logit| *logit = grad * weight * (*logit - normalizer).exp());
            row[target] -= grad * weight;
        }
        Ok(Some(like(out, logits)?))
    }
}

/// Sum over some cells of an attention pattern `[batch, head, query, key]` of their negative logarithms: a scalar.
pub struct Surprisal {
    /// Flat index of each cell, and its weight in the sum.
    pub cells: Vec<(usize, f32)>,
}

/// Added to an attention weight before the logarithm, so that the logarithm and its derivative stay finite.
const MIN_ATTENTION: f32 = 1e-6;

impl CustomOp1 for Surprisal {
    fn name(&self) -> &'static str {
        "surprisal"
    }

    fn cpu_fwd(&self, pattern: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let pattern = values(pattern, layout)?;
        let sum = self
            .cells
            .iter()
            .map(|&(index, weight)| -weight * (pattern[index] + MIN_ATTENTION).ln())
            .sum();
        Ok((CpuStorage::F32(vec![sum]), Shape::from(())))
    }

    fn bwd(&self, pattern: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (pattern_values, grad) = (to_vec(pattern)?, grad.to_scalar::<f32>()?);
        let mut out = vec![0f32; pattern_values.len()];
        for &(index, weight) in &self.cells {
            out[index] -= grad * weight / (pattern_values[index] + MIN_ATTENTION);
        }
        Ok(Some(like(out, pattern)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn var(shape: &[usize], seed: u32) -> Var {
        let mut numpy = crate::prompts::ioi::random::NumpyRandom::new(seed);
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| numpy.standard_normal() as f32)
            .collect();
        Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
    }

    /// Compares the gradient of `f` summed with fixed weights to central differences.
    fn check_gradients(name: &str, vars: &[Var], f: impl Fn() -> Result<Tensor>) {
        let probe = var(f().unwrap().dims(), 99);
        let loss = || (f()?.mul(&probe))?.sum_all();
        let grads = loss().unwrap().backward().unwrap();
        let step = 1e-2f32;
        for var in vars {
            let grad = to_vec(grads.get(var).unwrap()).unwrap();
            let values = to_vec(var).unwrap();
            let mut largest = 0f32;
            for i in 0..values.len() {
                let at = |offset: f32| {
                    let mut moved = values.clone();
                    moved[i] += offset;
                    var.set(&like(moved, var).unwrap()).unwrap();
                    loss().unwrap().to_scalar::<f32>().unwrap()
                };
                let slope = (at(step) - at(-step)) / (2.0 * step);
                let difference = (slope - grad[i]).abs();
                assert!(difference.is_finite(), "{name}: slope {slope}, gradient {}", grad[i]);
                largest = largest.max(difference);
            }
            var.set(&like(values, var).unwrap()).unwrap();
            println!("{name}: largest difference from central differences {largest:.1e}");
            assert!(largest < 2e-3, "{name}: {largest}");
        }
    }

    #[test]
    fn gradients_equal_central_differences() {
        let (x, w, b) = (var(&[3, 8], 1), var(&[8], 2), var(&[8], 3));
        check_gradients("layer norm", &[x.clone(), w.clone(), b.clone()], || {
            x.apply_op3(&w, &b, LayerNorm { eps: 1e-5 })
        });
        let scores = var(&[2, 4, 4], 4);
        check_gradients("causal softmax", std::slice::from_ref(&scores), || {
            scores.apply_op1(CausalSoftmax { scale: 0.5 })
        });
        check_gradients("attention guidance", std::slice::from_ref(&scores), || {
            scores.apply_op1(CausalSoftmax { scale: 0.5 })?.apply_op1(Surprisal {
                cells: vec![(5, 0.7), (14, 0.2), (17, 1.0), (31, 0.5), (31, 0.5)],
            })
        });
        check_gradients("GELU", std::slice::from_ref(&x), || x.apply_op1(Gelu));
        check_gradients("cross-entropy", std::slice::from_ref(&x), || {
            x.apply_op1(CrossEntropy {
                targets: vec![2, 0, 7],
                weights: vec![0.5, 0.0, 2.0],
            })
        });
    }

    #[test]
    fn values_equal_those_of_candle() {
        let (x, w, b) = (var(&[5, 8], 1), var(&[8], 2), var(&[8], 3));
        let pairs = [
            (
                x.apply_op3(&w, &b, LayerNorm { eps: 1e-5 }),
                candle_nn::ops::layer_norm_slow(&x, &w, &b, 1e-5),
            ),
            (x.apply_op1(Gelu), x.gelu()),
        ];
        for (ours, theirs) in pairs {
            let (ours, theirs) = (to_vec(&ours.unwrap()).unwrap(), to_vec(&theirs.unwrap()).unwrap());
            assert_eq!((ours.len(), theirs.len()), (40, 40));
            let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
            let largest = differences.max_by(f32::total_cmp).unwrap();
            println!("largest difference {largest:.1e}");
            assert!(largest < 2e-6);
        }
    }
}
