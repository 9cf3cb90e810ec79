//! Computes rows through a block, with taps and edits.

use std::ops::Range;

use super::attention::Attention;
use super::products::{Epilogue, MatrixPart, Products};
use super::weights::{CpuBlock, Rest};
use crate::compute::engine::{Step, Stream};
use crate::compute::rows::{Rows, Taps};
use crate::compute::step_hooks::{QKV, StepHooks, columns_of, project};
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
    /// Takes `rows` through the block, see [`crate::compute::engine::Block::forward`].
    pub(super) fn forward(
        &self,
        rows: &Rows<'_>,
        Stream { resid, qkv }: Stream<'_>,
        taps: &mut dyn Taps,
    ) -> Result<()> {
        let d = self.step.config.d_model;
        let range = &rows.range;
        let resid = &mut resid[range.start * d..range.end * d];
        let hooks = self.hooks(range);
        hooks.edit(BlockHook::ResidPre, resid, d);
        hooks.give(taps, BlockHook::ResidPre, resid, d)?;
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
        hooks.edit(BlockHook::Z, &mut z, d);
        hooks.give_of_heads(taps, BlockHook::Z, &z, d)?;
        self.give_results(taps, range, &z)?;
        let mut attention_out = Vec::with_capacity(z.len());
        let then = Epilogue::bias(&self.rest.small.b_o);
        self.block
            .products
            .product(z, &self.rest.w_o, then, &mut attention_out)?;
        math::add(resid, &attention_out);
        drop(attention_out);
        let mut mlp_out = self.mlp(resid, Some((range, &mut *taps)))?;
        hooks.edit(BlockHook::MlpOut, &mut mlp_out, d);
        hooks.give(taps, BlockHook::MlpOut, &mlp_out, d)?;
        math::add(resid, &mlp_out);
        Ok(())
    }

    /// See [`crate::compute::engine::Block::effective_embedding`].
    pub(super) fn effective_embedding(&self, mut x: Vec<f32>) -> Result<(Vec<f32>, Vec<f32>)> {
        let d = self.step.config.d_model;
        let normalized = self.block.small.ln_1.forward_without_bias(&x, d);
        let products = &self.block.products;
        let values = MatrixPart {
            inputs: 0..d,
            outputs: 2 * d..3 * d,
        };
        let values = products.product_of_part(normalized, &self.block.w_qkv, values)?;
        let all = MatrixPart {
            inputs: 0..d,
            outputs: 0..d,
        };
        math::add(&mut x, &products.product_of_part(values, &self.rest.w_o, all)?);
        let mlp_out = self.mlp(&x, None)?;
        math::add(&mut x, &mlp_out);
        Ok((x, mlp_out))
    }

    /// Appends queries, keys and values of the rows `range` to `qkv`; `resid [rows, d_model]` is their residual stream.
    fn append_qkv(&self, range: &Range<usize>, resid: &[f32], qkv: &mut Vec<f32>, taps: &mut dyn Taps) -> Result<()> {
        let (d, hooks) = (self.step.config.d_model, self.hooks(range));
        let input = &self.block.small;
        let (mut normalized, mut scales) = input.ln_1.normalize(resid, d);
        for edit in hooks.edits_of(BlockHook::Ln1Scale) {
            let (at, scale) = (edit.row - range.start, edit.value[0]);
            let factor = scales[at] / scale;
            normalized[at * d..][..d].iter_mut().for_each(|v| *v *= factor);
            scales[at] = scale;
        }
        hooks.give(taps, BlockHook::Ln1Scale, &scales, 1)?;
        match self.step.known_qkv {
            Some(known) => qkv.extend_from_slice(known),
            None => {
                input.ln_1.apply_affine(&mut normalized, d);
                let then = Epilogue::bias(&input.b_qkv);
                self.block.products.product(normalized, &self.block.w_qkv, then, qkv)?;
            }
        }
        let of_rows = &mut qkv[range.start * 3 * d..];
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            hooks.give_inputs(taps, made_from, resid)?;
            for edit in hooks.edits_of(made_from) {
                let columns = columns_of(self.step.config, part, edit);
                let start = (edit.row - range.start) * 3 * d + columns.start;
                let new = self.project_one(&edit.value, columns)?;
                of_rows[start..][..new.len()].copy_from_slice(&new);
            }
            for edit in hooks.edits_of(made) {
                let start = (edit.row - range.start) * 3 * d + columns_of(self.step.config, part, edit).start;
                of_rows[start..][..edit.value.len()].copy_from_slice(&edit.value);
            }
            hooks.give_of_heads(taps, made, &of_rows[part * d..], 3 * d)?;
        }
        Ok(())
    }

    /// Query, key or value of one head (the `columns` of c_attn) for `x [d_model]` before LayerNorm.
    fn project_one(&self, x: &[f32], columns: Range<usize>) -> Result<Vec<f32>> {
        let part = MatrixPart {
            inputs: 0..x.len(),
            outputs: columns.clone(),
        };
        let weight = self.block.products.read(&self.block.w_qkv, part)?;
        Ok(project(&self.block.small, &weight, columns, x))
    }

    /// `mlp_out` of `resid_mid [rows, d_model]`, b_out included; with taps and edits if `watched` is given.
    fn mlp(&self, resid_mid: &[f32], watched: Option<(&Range<usize>, &mut dyn Taps)>) -> Result<Vec<f32>> {
        let (products, small) = (&self.block.products, &self.rest.small);
        let d = self.step.config.d_model;
        let x = small.ln_2.forward(resid_mid, d);
        let activated = Epilogue {
            bias: &small.b_in,
            activation: Some(self.step.config.activation_function),
        };
        let (w_in, w_out, then) = (&self.rest.w_in, &self.rest.w_out, Epilogue::bias(&small.b_out));
        let mut out = Vec::with_capacity(resid_mid.len());
        let is_watched = |(range, taps): &(&Range<usize>, &mut dyn Taps)| {
            !taps.wanted(BlockHook::MlpPost, range).is_empty()
                || self.hooks(range).edits_of(BlockHook::MlpPost).next().is_some()
        };
        match watched.filter(is_watched) {
            None => products.two_products(x, [(w_in, activated), (w_out, then)], &mut out)?,
            Some((range, taps)) => {
                let mut hidden = Vec::with_capacity(resid_mid.len() / d * small.b_in.len());
                products.product(x, w_in, activated, &mut hidden)?;
                let hooks = self.hooks(range);
                hooks.edit(BlockHook::MlpPost, &mut hidden, small.b_in.len());
                hooks.give(taps, BlockHook::MlpPost, &hidden, small.b_in.len())?;
                products.product(hidden, w_out, then, &mut out)?;
            }
        }
        Ok(out)
    }

    fn hooks<'r>(&'r self, range: &'r Range<usize>) -> StepHooks<'r> {
        StepHooks { step: self.step, range }
    }

    /// Passes the outputs of heads, computed from `z [rows, d_model]`, to the taps.
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
            let of_head = MatrixPart {
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
