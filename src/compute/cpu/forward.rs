//! Rows through a block, with taps and edits.

use std::ops::Range;

use super::attention::Attention;
use super::held::{CpuBlock, Rest};
use super::products::{Part, Products, Then};
use crate::compute::engine::{Step, Stream};
use crate::compute::rows::{Edit, Rows, Taps};
use crate::error::Result;
use crate::math;
use crate::names::BlockHook;

/// Rows on their way through one block.
pub(super) struct Forward<'a, P: Products> {
    pub(super) step: &'a Step<'a>,
    pub(super) block: &'a CpuBlock<P>,
    pub(super) rest: &'a Rest<P>,
}

impl<P: Products> Forward<'_, P> {
    /// Takes `rows` through the block, as [`crate::compute::engine::Block::forward`] says.
    pub(super) fn forward(
        &self,
        rows: &Rows<'_>,
        Stream { resid, qkv }: Stream<'_>,
        taps: &mut dyn Taps,
    ) -> Result<()> {
        let d = self.step.config.d_model;
        let range = &rows.range;
        let resid = &mut resid[range.start * d..range.end * d];
        self.edit(BlockHook::ResidPre, range, resid, d);
        give(taps, BlockHook::ResidPre, range, resid, d)?;
        self.append_qkv(range, resid, qkv, taps)?;
        if self.step.keys_only {
            return Ok(());
        }
        let attention = Attention {
            config: self.step.config,
            layer: self.step.layer,
            rows,
            qkv,
            edits: self.step.edits,
        };
        let mut z = match self.block.products.attention(&attention) {
            Some(z) => {
                let mut z = z?;
                attention.watch(&mut z, taps)?;
                z
            }
            None => attention.z(taps)?,
        };
        self.edit(BlockHook::Z, range, &mut z, d);
        self.give_of_heads(taps, BlockHook::Z, range, &z, d)?;
        self.give_results(taps, range, &z)?;
        let mut attention_out = Vec::with_capacity(z.len());
        let then = Then::bias(&self.rest.small.b_o);
        self.block
            .products
            .product(z, &self.rest.w_o, then, &mut attention_out)?;
        math::add(resid, &attention_out);
        drop(attention_out);
        let mut mlp_out = self.mlp(resid, Some((range, &mut *taps)))?;
        self.edit(BlockHook::MlpOut, range, &mut mlp_out, d);
        give(taps, BlockHook::MlpOut, range, &mlp_out, d)?;
        math::add(resid, &mlp_out);
        Ok(())
    }

    /// As [`crate::compute::engine::Block::alone`] says.
    pub(super) fn alone(&self, mut x: Vec<f32>) -> Result<(Vec<f32>, Vec<f32>)> {
        let d = self.step.config.d_model;
        let normalised = self.block.small.ln_1.forward_without_bias(&x, d);
        let products = &self.block.products;
        let values = Part {
            inputs: 0..d,
            outputs: 2 * d..3 * d,
        };
        let values = products.product_of_part(normalised, &self.block.w_qkv, values)?;
        let all = Part {
            inputs: 0..d,
            outputs: 0..d,
        };
        math::add(&mut x, &products.product_of_part(values, &self.rest.w_o, all)?);
        let mlp_out = self.mlp(&x, None)?;
        math::add(&mut x, &mlp_out);
        Ok((x, mlp_out))
    }

    /// Appends queries, keys and values of the rows `range`, whose residual stream is `resid [rows, d_model]`.
    fn append_qkv(&self, range: &Range<usize>, resid: &[f32], qkv: &mut Vec<f32>, taps: &mut dyn Taps) -> Result<()> {
        let d = self.step.config.d_model;
        let input = &self.block.small;
        let (mut normalised, mut scales) = input.ln_1.normalise(resid, d);
        for edit in self.edits_of(BlockHook::Ln1Scale, range) {
            let (at, scale) = (edit.row - range.start, edit.value[0]);
            let factor = scales[at] / scale;
            normalised[at * d..][..d].iter_mut().for_each(|v| *v *= factor);
            scales[at] = scale;
        }
        give(taps, BlockHook::Ln1Scale, range, &scales, 1)?;
        match self.step.known_qkv {
            Some(known) => qkv.extend_from_slice(known),
            None => {
                input.ln_1.apply_affine(&mut normalised, d);
                let then = Then::bias(&input.b_qkv);
                self.block.products.product(normalised, &self.block.w_qkv, then, qkv)?;
            }
        }
        let of_rows = &mut qkv[range.start * 3 * d..];
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            self.give_inputs(taps, made_from, range, resid)?;
            for edit in self.edits_of(made_from, range) {
                let head = edit.head.unwrap_or_default();
                let start = part * d + head * self.step.config.d_head();
                let new = self.project_one(&edit.value, start)?;
                of_rows[(edit.row - range.start) * 3 * d + start..][..new.len()].copy_from_slice(&new);
            }
            for edit in self.edits_of(made, range) {
                let head = edit.head.unwrap_or_default();
                let start = (edit.row - range.start) * 3 * d + part * d + head * self.step.config.d_head();
                of_rows[start..][..edit.value.len()].copy_from_slice(&edit.value);
            }
            self.give_of_heads(taps, made, range, &of_rows[part * d..], 3 * d)?;
        }
        Ok(())
    }

    /// One head's query, key or value, whose columns of c_attn begin at `start`, of `x [d_model]` before LayerNorm.
    fn project_one(&self, x: &[f32], start: usize) -> Result<Vec<f32>> {
        let (d, d_head) = (self.step.config.d_model, self.step.config.d_head());
        let input = &self.block.small;
        let normalised = input.ln_1.forward(x, d);
        let columns = Part {
            inputs: 0..d,
            outputs: start..start + d_head,
        };
        let weight = self.block.products.read(&self.block.w_qkv, columns)?;
        let mut total: Vec<f64> = input.b_qkv[start..][..d_head].iter().map(|&b| f64::from(b)).collect();
        for (row, &v) in weight.chunks_exact(d_head).zip(&normalised) {
            for (total, &w) in total.iter_mut().zip(row) {
                *total += f64::from(v) * f64::from(w);
            }
        }
        Ok(total.into_iter().map(|total| total as f32).collect())
    }

    /// `mlp_out` of `resid_mid [rows, d_model]`, b_out included; of the rows that are given, with taps and edits.
    fn mlp(&self, resid_mid: &[f32], watched: Option<(&Range<usize>, &mut dyn Taps)>) -> Result<Vec<f32>> {
        let (products, small) = (&self.block.products, &self.rest.small);
        let d = self.step.config.d_model;
        let x = small.ln_2.forward(resid_mid, d);
        let activated = Then {
            bias: &small.b_in,
            activation: Some(self.step.config.activation_function),
        };
        let (w_in, w_out, then) = (&self.rest.w_in, &self.rest.w_out, Then::bias(&small.b_out));
        let mut out = Vec::with_capacity(resid_mid.len());
        let is_watched = |(range, taps): &(&Range<usize>, &mut dyn Taps)| {
            !taps.wanted(BlockHook::MlpPost, range).is_empty()
                || self.edits_of(BlockHook::MlpPost, range).next().is_some()
        };
        match watched.filter(is_watched) {
            None => products.two_products(x, [(w_in, activated), (w_out, then)], &mut out)?,
            Some((range, taps)) => {
                let mut hidden = Vec::with_capacity(resid_mid.len() / d * small.b_in.len());
                products.product(x, w_in, activated, &mut hidden)?;
                self.edit(BlockHook::MlpPost, range, &mut hidden, small.b_in.len());
                give(taps, BlockHook::MlpPost, range, &hidden, small.b_in.len())?;
                products.product(hidden, w_out, then, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The edits at `hook` of rows in `range`.
    fn edits_of(&self, hook: BlockHook, range: &Range<usize>) -> impl Iterator<Item = &Edit> {
        let edits = self.step.edits.iter();
        edits.filter(move |edit| edit.hook == hook && range.contains(&edit.row))
    }

    /// Puts the edits at `hook` in place of `values [rows, width]`; those of a head in place of its part.
    fn edit(&self, hook: BlockHook, range: &Range<usize>, values: &mut [f32], width: usize) {
        for edit in self.edits_of(hook, range) {
            let of_head = edit.head.map_or(0, |head| head * self.step.config.d_head());
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
        let (heads, d_head) = (taps.heads(hook), self.step.config.d_head());
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
        let (heads, d) = (taps.heads(hook), self.step.config.d_model);
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
        let (heads, d, d_head) = (
            taps.heads(BlockHook::Result),
            self.step.config.d_model,
            self.step.config.d_head(),
        );
        let mut given = vec![0.0; wanted.len() * heads.len() * d];
        for (place, head) in heads.iter().enumerate() {
            let mut z_of_head = Vec::with_capacity(wanted.len() * d_head);
            for row in &wanted {
                z_of_head.extend_from_slice(&z[(row - range.start) * d + head * d_head..][..d_head]);
            }
            let of_head = Part {
                inputs: head * d_head..(head + 1) * d_head,
                outputs: 0..d,
            };
            let results = self
                .block
                .products
                .product_of_part(z_of_head, &self.rest.w_o, of_head)?;
            for (index, result) in results.chunks_exact(d).enumerate() {
                given[(index * heads.len() + place) * d..][..d].copy_from_slice(result);
            }
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
