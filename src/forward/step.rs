//! One block applied to a chunk of rows, with its captures.

use std::ops::Range;

use crate::compute::tensor;
use crate::error::Result;
use crate::forward::block::{Block, BlockRest};
use crate::forward::pass::LayerZeroAlone;
use crate::forward::{Direction, Pass, PrefixTree};
use crate::math;
use crate::model::Config;

/// Block `layer` of a model of `config`, with all its weights.
pub(crate) struct Step<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layer: usize,
    pub(crate) block: &'a Block,
    pub(crate) rest: &'a BlockRest,
}

impl Step<'_> {
    /// Makes room for this layer's queries, keys, values and captures.
    pub(crate) fn begin(&self, pass: &mut Pass) -> Result<()> {
        pass.qkv.clear();
        pass.qkv.reserve_exact(pass.tree.len() * 3 * self.config.d_model);
        let readouts = pass.request.readouts.iter().zip(&mut pass.captured.components);
        for (readout, components) in readouts {
            components.add_layer(readout, self.config.n_head + 2)?;
        }
        Ok(())
    }

    /// Takes `rows` of `pass` through the block; their ancestors have gone before.
    pub(crate) fn forward(&self, pass: &mut Pass, rows: Range<usize>) -> Result<()> {
        let d = self.config.d_model;
        let resid = rows.start * d..rows.end * d;
        self.append_qkv(pass, resid.clone())?;
        let z = attention(self.config, &pass.tree, &pass.qkv, rows.clone());
        self.capture_head(pass, &z, &rows)?;
        // Kept only where components are read, which needs the MLP's output too.
        let kept_z = (!pass.request.readouts.is_empty()).then(|| z.clone());
        let attention_out = tensor::product(z, &self.rest.w_o)?;
        tensor::read(&attention_out, |out| {
            add_with_bias(&mut pass.resid[resid.clone()], out, &self.rest.b_o)
        })?;
        drop(attention_out);
        let mlp_out = self.mlp(&pass.resid[resid.clone()])?;
        if let Some(z) = kept_z {
            self.capture_components(pass, &z, &mlp_out, &rows)?;
        }
        math::add(&mut pass.resid[resid], &mlp_out);
        Ok(())
    }

    /// `x [rows, d_model]` through the block alone; see [`LayerZeroAlone`].
    pub(crate) fn alone(&self, mut x: Vec<f32>) -> Result<LayerZeroAlone> {
        let d = self.config.d_model;
        let normalised = self.block.input.ln_1.forward_without_bias(&x, d);
        let values = tensor::product(normalised, &self.block.input.w_qkv.narrow(1, 2 * d, d)?.contiguous()?)?;
        let attention = values.matmul(&self.rest.w_o)?;
        tensor::read(&attention, |attention| math::add(&mut x, attention))?;
        let mlp_out = self.mlp(&x)?;
        math::add(&mut x, &mlp_out);
        Ok(LayerZeroAlone { resid_post: x, mlp_out })
    }

    /// Queries, keys and values of the rows whose residual stream is `pass.resid[resid]`.
    fn append_qkv(&self, pass: &mut Pass, resid: Range<usize>) -> Result<()> {
        let input = &self.block.input;
        let normalised = input.ln_1.forward(&pass.resid[resid], self.config.d_model);
        tensor::read(&tensor::product(normalised, &input.w_qkv)?, |product| {
            for row in product.chunks_exact(input.b_qkv.len()) {
                pass.qkv.extend(row.iter().zip(&input.b_qkv).map(|(v, b)| v + b));
            }
        })
    }

    /// `mlp_out` of `resid_mid [rows, d_model]`, b_out included.
    fn mlp(&self, resid_mid: &[f32]) -> Result<Vec<f32>> {
        let BlockRest {
            ln_2,
            w_in,
            b_in,
            w_out,
            b_out,
            ..
        } = self.rest;
        let hidden = tensor::product(ln_2.forward(resid_mid, self.config.d_model), w_in)?;
        let hidden = tensor::read(&hidden, |hidden| {
            let mut activated = Vec::with_capacity(hidden.len());
            for row in hidden.chunks_exact(b_in.len()) {
                activated.extend(row.iter().zip(b_in).map(|(v, b)| math::gelu(v + b)));
            }
            activated
        })?;
        tensor::read(&tensor::product(hidden, w_out)?, |product| {
            let mut out = Vec::with_capacity(product.len());
            for row in product.chunks_exact(b_out.len()) {
                out.extend(row.iter().zip(b_out).map(|(v, b)| v + b));
            }
            out
        })
    }

    /// Every component of this layer at the requested rows among `rows`, from their `z` and `mlp_out [rows, d_model]`.
    fn capture_components(&self, pass: &mut Pass, z: &[f32], mlp_out: &[f32], rows: &Range<usize>) -> Result<()> {
        let n_head = self.config.n_head;
        let readouts = pass.request.readouts.iter().zip(&mut pass.captured.components);
        for (readout, components) in readouts {
            let wanted = among(&readout.rows, rows);
            if wanted.is_empty() {
                continue;
            }
            let mlp_out = self.gather(mlp_out, rows, &wanted);
            if self.layer == 0 && matches!(readout.direction, Direction::MlpOfLayer0) {
                components.set_directions(&wanted, &mlp_out);
            }
            let first = self.layer * (n_head + 2);
            for head in 0..n_head {
                components.put(
                    readout,
                    first + head,
                    &wanted,
                    self.head_output(head, z, rows, &wanted)?,
                )?;
            }
            components.put(readout, first + n_head, &wanted, mlp_out)?;
            components.put(readout, first + n_head + 1, &wanted, self.rest.b_o.repeat(wanted.len()))?;
        }
        Ok(())
    }

    /// The `wanted` rows among `rows` of `vectors [rows, d_model]`.
    fn gather(&self, vectors: &[f32], rows: &Range<usize>, wanted: &[(usize, usize)]) -> Vec<f32> {
        let d = self.config.d_model;
        let row = |&(_, row): &(usize, usize)| &vectors[(row - rows.start) * d..][..d];
        wanted.iter().flat_map(row).copied().collect()
    }

    /// The output of the requested head at the requested rows among `rows`, from their `z [rows, d_model]`.
    fn capture_head(&self, pass: &mut Pass, z: &[f32], rows: &Range<usize>) -> Result<()> {
        let Some((head, requested)) = &pass.request.head_output else {
            return Ok(());
        };
        if head.layer == self.layer {
            let wanted = among(requested, rows);
            pass.captured
                .head_output
                .resize(requested.len() * self.config.d_model, 0.0);
            let outputs = self.head_output(head.head, z, rows, &wanted)?;
            scatter(&mut pass.captured.head_output, &outputs, &wanted, self.config.d_model);
        }
        Ok(())
    }

    /// `z W_O` of one head, without b_O, at the `wanted` rows, `[wanted, d_model]`.
    fn head_output(&self, head: usize, z: &[f32], rows: &Range<usize>, wanted: &[(usize, usize)]) -> Result<Vec<f32>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (d, d_head) = (self.config.d_model, self.config.d_head());
        let mut z_of_head = Vec::with_capacity(wanted.len() * d_head);
        for (_, row) in wanted {
            z_of_head.extend_from_slice(&z[(row - rows.start) * d + head * d_head..][..d_head]);
        }
        tensor::to_vec(&tensor::product(
            z_of_head,
            &self.rest.w_o.narrow(0, head * d_head, d_head)?,
        )?)
    }
}

/// The requested rows that are in `rows`, each with its index in the request.
fn among(requested: &[usize], rows: &Range<usize>) -> Vec<(usize, usize)> {
    requested
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, row)| rows.contains(row))
        .collect()
}

/// Puts `outputs [wanted, d_model]` where their indices say.
fn scatter(target: &mut [f32], outputs: &[f32], wanted: &[(usize, usize)], d_model: usize) {
    for (output, (index, _)) in outputs.chunks_exact(d_model).zip(wanted) {
        target[index * d_model..][..d_model].copy_from_slice(output);
    }
}

/// `target += out + bias`, row by row.
fn add_with_bias(target: &mut [f32], out: &[f32], bias: &[f32]) {
    for (target, out) in target.chunks_exact_mut(bias.len()).zip(out.chunks_exact(bias.len())) {
        for ((target, out), bias) in target.iter_mut().zip(out).zip(bias) {
            *target += out + bias;
        }
    }
}

/// `z [rows, d_model]` of all heads: each row attends to itself and its ancestors in the tree.
///
/// A loop of ours: rows attend to different numbers of rows, and it is under 1 % of the arithmetic.
fn attention(config: &Config, tree: &PrefixTree, qkv: &[f32], rows: Range<usize>) -> Vec<f32> {
    let (d, d_head) = (config.d_model, config.d_head());
    let factor = 1.0 / (d_head as f32).sqrt();
    let mut z = vec![0.0; rows.len() * d];
    let mut attended = Vec::new();
    let mut pattern = Vec::new();
    for (z, row) in z.chunks_exact_mut(d).zip(rows) {
        tree.attended(row, &mut attended);
        let query = &qkv[row * 3 * d..][..d];
        for (head, z) in z.chunks_exact_mut(d_head).enumerate() {
            let query = &query[head * d_head..][..d_head];
            let part = |row: usize, which: usize| &qkv[(3 * row + which) * d + head * d_head..][..d_head];
            pattern.clear();
            pattern.extend(attended.iter().map(|&key| math::dot_f32(query, part(key, 1)) * factor));
            math::softmax(&mut pattern);
            for (&probability, &value) in pattern.iter().zip(&attended) {
                math::add_scaled(z, probability, part(value, 2));
            }
        }
    }
    z
}
