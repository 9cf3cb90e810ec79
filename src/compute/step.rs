//! Rows through a block, with taps and edits.

use std::ops::Range;

use crate::compute::attention::Attention;
use crate::compute::block::{AttentionInput, Block, BlockRest};
use crate::compute::rows::{Edit, Rows, Taps};
use crate::compute::tensor;
use crate::error::Result;
use crate::math;
use crate::model::{Activation, Config};
use crate::names::BlockHook;

/// One block, applied to rows of one pass.
pub(crate) struct Step<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layer: usize,
    pub(crate) block: &'a Block,
    pub(crate) rest: &'a BlockRest,
    /// Edits of this layer.
    pub(crate) edits: &'a [Edit],
    /// Queries, keys and values of the rows before edits, `[rows, 3 * d_model]`, where they are known.
    pub(crate) known_qkv: Option<Vec<f32>>,
    /// Whether only queries, keys and values are asked for: the residual stream stays what enters the block.
    pub(crate) keys_only: bool,
}

impl Step<'_> {
    /// Takes `rows` through the block: `resid [tree's rows, d_model]` is changed in place, queries, keys and values are
    /// appended to `qkv`, which holds those of all rows before.
    pub(crate) fn forward(
        &self,
        rows: &Rows<'_>,
        resid: &mut [f32],
        qkv: &mut Vec<f32>,
        taps: &mut dyn Taps,
    ) -> Result<()> {
        let d = self.config.d_model;
        let range = &rows.range;
        let resid = &mut resid[range.start * d..range.end * d];
        self.edit(BlockHook::ResidPre, range, resid, d);
        give(taps, BlockHook::ResidPre, range, resid, d)?;
        self.append_qkv(range, resid, qkv, taps)?;
        if self.keys_only {
            return Ok(());
        }
        let attention = Attention {
            config: self.config,
            layer: self.layer,
            rows,
            qkv,
            edits: self.edits,
        };
        let mut z = attention.z(taps)?;
        self.edit(BlockHook::Z, range, &mut z, d);
        self.give_of_heads(taps, BlockHook::Z, range, &z, d)?;
        self.give_results(taps, range, &z)?;
        let attention_out = tensor::product(z, &self.rest.w_o)?;
        tensor::read(&attention_out, |out| add_with_bias(resid, out, &self.rest.b_o))?;
        drop(attention_out);
        let mut mlp_out = self.mlp(resid, Some((range, &mut *taps)))?;
        self.edit(BlockHook::MlpOut, range, &mut mlp_out, d);
        give(taps, BlockHook::MlpOut, range, &mlp_out, d)?;
        math::add(resid, &mlp_out);
        Ok(())
    }

    /// `x [rows, d_model]` through the block alone, each row attending to itself: `x + ln1(x) W_V W_O` summed over heads,
    /// without biases, then the MLP with its biases. Returns the sum, and what the MLP writes.
    pub(crate) fn alone(&self, mut x: Vec<f32>) -> Result<(Vec<f32>, Vec<f32>)> {
        let d = self.config.d_model;
        let normalised = self.block.input.ln_1.forward_without_bias(&x, d);
        let values = tensor::product(normalised, &self.block.input.w_qkv.narrow(1, 2 * d, d)?.contiguous()?)?;
        let attention = values.matmul(&self.rest.w_o)?;
        tensor::read(&attention, |attention| math::add(&mut x, attention))?;
        let mlp_out = self.mlp(&x, None)?;
        math::add(&mut x, &mlp_out);
        Ok((x, mlp_out))
    }

    /// Appends queries, keys and values of the rows `range`, whose residual stream is `resid [rows, d_model]`.
    fn append_qkv(&self, range: &Range<usize>, resid: &[f32], qkv: &mut Vec<f32>, taps: &mut dyn Taps) -> Result<()> {
        let d = self.config.d_model;
        let input = &self.block.input;
        let (mut normalised, mut scales) = input.ln_1.normalise(resid, d);
        for edit in self.edits_of(BlockHook::Ln1Scale, range) {
            let (at, scale) = (edit.row - range.start, edit.value[0]);
            let factor = scales[at] / scale;
            normalised[at * d..][..d].iter_mut().for_each(|v| *v *= factor);
            scales[at] = scale;
        }
        give(taps, BlockHook::Ln1Scale, range, &scales, 1)?;
        match &self.known_qkv {
            Some(known) => qkv.extend_from_slice(known),
            None => {
                input.ln_1.apply_affine(&mut normalised, d);
                tensor::read(&tensor::product(normalised, &input.w_qkv)?, |product| {
                    for row in product.chunks_exact(input.b_qkv.len()) {
                        qkv.extend(row.iter().zip(&input.b_qkv).map(|(v, b)| v + b));
                    }
                })?;
            }
        }
        let of_rows = &mut qkv[range.start * 3 * d..];
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            self.give_inputs(taps, made_from, range, resid)?;
            for edit in self.edits_of(made_from, range) {
                let head = edit.head.unwrap_or_default();
                let start = part * d + head * self.config.d_head();
                let new = project_one(input, &edit.value, start, self.config)?;
                of_rows[(edit.row - range.start) * 3 * d + start..][..new.len()].copy_from_slice(&new);
            }
            for edit in self.edits_of(made, range) {
                let head = edit.head.unwrap_or_default();
                let start = (edit.row - range.start) * 3 * d + part * d + head * self.config.d_head();
                of_rows[start..][..edit.value.len()].copy_from_slice(&edit.value);
            }
            self.give_of_heads(taps, made, range, &of_rows[part * d..], 3 * d)?;
        }
        Ok(())
    }

    /// `mlp_out` of `resid_mid [rows, d_model]`, b_out included; of the rows that are given, with taps and edits.
    fn mlp(&self, resid_mid: &[f32], watched: Option<(&Range<usize>, &mut dyn Taps)>) -> Result<Vec<f32>> {
        let BlockRest {
            ln_2,
            w_in,
            b_in,
            w_out,
            b_out,
            ..
        } = self.rest;
        let hidden = tensor::product(ln_2.forward(resid_mid, self.config.d_model), w_in)?;
        let mut hidden = tensor::read(&hidden, |hidden| {
            let mut activated = Vec::with_capacity(hidden.len());
            let rows = hidden.chunks_exact(b_in.len());
            // A loop for each function, so that each compiles to SIMD of its own.
            match self.config.activation_function {
                Activation::GeluNew => activate(rows, b_in, &mut activated, math::gelu_new),
                Activation::Gelu => activate(rows, b_in, &mut activated, math::gelu),
                Activation::Relu => activate(rows, b_in, &mut activated, |v| v.max(0.0)),
                Activation::Silu => activate(rows, b_in, &mut activated, math::silu),
            }
            activated
        })?;
        if let Some((range, taps)) = watched {
            self.edit(BlockHook::MlpPost, range, &mut hidden, b_in.len());
            give(taps, BlockHook::MlpPost, range, &hidden, b_in.len())?;
        }
        tensor::read(&tensor::product(hidden, w_out)?, |product| {
            let mut out = Vec::with_capacity(product.len());
            for row in product.chunks_exact(b_out.len()) {
                out.extend(row.iter().zip(b_out).map(|(v, b)| v + b));
            }
            out
        })
    }

    /// The edits at `hook` of rows in `range`.
    fn edits_of(&self, hook: BlockHook, range: &Range<usize>) -> impl Iterator<Item = &Edit> {
        let edits = self.edits.iter();
        edits.filter(move |edit| edit.hook == hook && range.contains(&edit.row))
    }

    /// Puts the edits at `hook` in place of `values [rows, width]`; those of a head in place of its part.
    fn edit(&self, hook: BlockHook, range: &Range<usize>, values: &mut [f32], width: usize) {
        for edit in self.edits_of(hook, range) {
            let of_head = edit.head.map_or(0, |head| head * self.config.d_head());
            let start = (edit.row - range.start) * width + of_head;
            values[start..][..edit.value.len()].copy_from_slice(&edit.value);
        }
    }

    /// Hands over `values`, of which each row has `stride` and its heads come first, `d_head` each.
    fn give_of_heads(
        &self,
        taps: &mut dyn Taps,
        hook: BlockHook,
        range: &Range<usize>,
        values: &[f32],
        stride: usize,
    ) -> Result<()> {
        let wanted = taps.wanted(hook, range);
        if wanted.is_empty() {
            return Ok(());
        }
        let (heads, d_head) = (taps.heads(hook), self.config.d_head());
        let mut given = Vec::with_capacity(wanted.len() * heads.len() * d_head);
        for row in &wanted {
            for head in &heads {
                given.extend_from_slice(&values[(row - range.start) * stride + head * d_head..][..d_head]);
            }
        }
        taps.give(hook, &wanted, &given)
    }

    /// Hands over what heads make queries, keys or values from: the residual stream, or what an edit puts in its place.
    fn give_inputs(&self, taps: &mut dyn Taps, hook: BlockHook, range: &Range<usize>, resid: &[f32]) -> Result<()> {
        let wanted = taps.wanted(hook, range);
        if wanted.is_empty() {
            return Ok(());
        }
        let (heads, d) = (taps.heads(hook), self.config.d_model);
        let mut given = Vec::with_capacity(wanted.len() * heads.len() * d);
        for &row in &wanted {
            for &head in &heads {
                let edit = self.edits_of(hook, range).filter(|edit| edit.row == row);
                let edited = edit.filter(|edit| edit.head == Some(head)).last();
                let made_from = edited.map_or(&resid[(row - range.start) * d..][..d], |edit| &edit.value);
                given.extend_from_slice(made_from);
            }
        }
        taps.give(hook, &wanted, &given)
    }

    /// Hands over what heads write, from their `z [rows, d_model]`.
    fn give_results(&self, taps: &mut dyn Taps, range: &Range<usize>, z: &[f32]) -> Result<()> {
        let wanted = taps.wanted(BlockHook::Result, range);
        if wanted.is_empty() {
            return Ok(());
        }
        let (heads, d, d_head) = (taps.heads(BlockHook::Result), self.config.d_model, self.config.d_head());
        let mut given = vec![0.0; wanted.len() * heads.len() * d];
        for (place, head) in heads.iter().enumerate() {
            let mut z_of_head = Vec::with_capacity(wanted.len() * d_head);
            for row in &wanted {
                z_of_head.extend_from_slice(&z[(row - range.start) * d + head * d_head..][..d_head]);
            }
            let results = tensor::product(z_of_head, &self.rest.w_o.narrow(0, head * d_head, d_head)?)?;
            tensor::read(&results, |results| {
                for (index, result) in results.chunks_exact(d).enumerate() {
                    given[(index * heads.len() + place) * d..][..d].copy_from_slice(result);
                }
            })?;
        }
        taps.give(BlockHook::Result, &wanted, &given)
    }
}

/// What queries, keys and values are made from, and they themselves, in the order in which c_attn has them.
const QKV: [(BlockHook, BlockHook); 3] = [
    (BlockHook::QInput, BlockHook::Q),
    (BlockHook::KInput, BlockHook::K),
    (BlockHook::VInput, BlockHook::V),
];

/// One head's query, key or value, whose columns of c_attn begin at `start`, of `x [d_model]` before LayerNorm.
fn project_one(input: &AttentionInput, x: &[f32], start: usize, config: &Config) -> Result<Vec<f32>> {
    let (d, d_head) = (config.d_model, config.d_head());
    let normalised = input.ln_1.forward(x, d);
    tensor::read(&input.w_qkv, |w_qkv| {
        let mut total: Vec<f64> = input.b_qkv[start..][..d_head].iter().map(|&b| f64::from(b)).collect();
        for (row, &v) in w_qkv.chunks_exact(3 * d).zip(&normalised) {
            for (total, &w) in total.iter_mut().zip(&row[start..]) {
                *total += f64::from(v) * f64::from(w);
            }
        }
        total.into_iter().map(|total| total as f32).collect()
    })
}

/// Hands over the wanted rows of `values [rows, width]`.
fn give(taps: &mut dyn Taps, hook: BlockHook, range: &Range<usize>, values: &[f32], width: usize) -> Result<()> {
    let wanted = taps.wanted(hook, range);
    if wanted.is_empty() {
        return Ok(());
    }
    let row = |row: &usize| &values[(row - range.start) * width..][..width];
    let given: Vec<f32> = wanted.iter().flat_map(row).copied().collect();
    taps.give(hook, &wanted, &given)
}

/// `target += out + bias`, row by row.
fn add_with_bias(target: &mut [f32], out: &[f32], bias: &[f32]) {
    for (target, out) in target.chunks_exact_mut(bias.len()).zip(out.chunks_exact(bias.len())) {
        for ((target, out), bias) in target.iter_mut().zip(out).zip(bias) {
            *target += out + bias;
        }
    }
}

/// Appends `activation` of each of `rows`, `[d_mlp]`, with the bias `b_in` added, to `activated`.
fn activate<'r>(
    rows: impl Iterator<Item = &'r [f32]>,
    b_in: &[f32],
    activated: &mut Vec<f32>,
    activation: impl Fn(f32) -> f32,
) {
    for row in rows {
        activated.extend(row.iter().zip(b_in).map(|(v, b)| activation(v + b)));
    }
}
