//! One step: rows through one block on the GPU.

use super::matrix::affine;
use super::upload::{padded, stride_of};
use super::weights::{GpuBlock, Rest};
use super::work::{AttentionShape, Epilogue, Reading, Work};
use crate::compute::cpu::Attention;
use crate::compute::engine::{Step, Stream};
use crate::compute::rows::{NoTaps, Rows, Taps};
use crate::compute::step_hooks::{QKV, StepHooks, columns_of, project};
use crate::error::Result;
use crate::model::Config;
use crate::names::BlockHook;

/// Rows on their way through one block. Rows and captures are changed only after the whole step is computed, so that a
/// canceled step has no effect.
pub(super) struct BlockStep<'a> {
    pub(super) block: &'a GpuBlock,
    pub(super) rest: &'a Rest,
    pub(super) step: &'a Step<'a>,
    pub(super) rows: &'a Rows<'a>,
}

/// An edit of queries, keys and values: the index of the first replaced number, counted from the first row, and the new
/// values.
type Put = (usize, Vec<f32>);

/// The captured activations of a step, as read back.
struct Tapped {
    z: Option<Reading>,
    results: Option<Reading>,
    mlp_post: Option<Reading>,
    mlp_out: Option<Reading>,
}

impl BlockStep<'_> {
    /// See [`crate::compute::engine::Block::forward`].
    pub(super) async fn forward(&self, stream: Stream<'_>, taps: &mut dyn Taps) -> Result<()> {
        let config = self.step.config;
        let (d, range) = (config.d_model, &self.rows.range);
        let (rows, q_width) = (range.len(), stride_of(3 * d));
        let hooks = self.hooks();
        let mut resid = stream.resid[range.start * d..range.end * d].to_vec();
        hooks.edit(BlockHook::ResidPre, &mut resid, d);
        let put = self.edits_of_qkv(q_width).await?;

        let mut work = Work::new(&self.block.device)?;
        let x = work.upload(&padded(&resid, d))?;
        let normalized = work.buffer(rows * stride_of(d))?;
        let scales = work.buffer(rows)?;
        let qkv = work.buffer(range.end * q_width)?;
        self.normalize(&mut work, (&x, &normalized, &scales))?;
        if !stream.qkv.is_empty() {
            work.put(&padded(stream.qkv, 3 * d), &qkv, 0)?;
        }
        let first = range.start * q_width;
        match self.step.known_qkv {
            Some(known) => work.put(&padded(known, 3 * d), &qkv, first)?,
            None => {
                let to = (&qkv, range.start);
                work.product(
                    (&normalized, rows),
                    &self.block.w_qkv,
                    &self.block.b_qkv.buffer,
                    to,
                    Epilogue::Store,
                );
            }
        }
        for (at, values) in &put {
            work.put(values, &qkv, first + at)?;
        }
        let scales = work.read_numbers(&scales, rows);
        let new_qkv = work.read(&qkv, (range.start, rows), 3 * d);
        let is_edited = |hook| hooks.edits_of(hook).next().is_some();
        let patterns_edited = is_edited(BlockHook::AttnScores) || is_edited(BlockHook::Pattern);

        // Where a pattern is edited, z is computed on the CPU from queries, keys and values.
        let (mut work, early) = match patterns_edited && !self.step.keys_only {
            false => (work, None),
            true => {
                let (all, work) = work.so_far().await?;
                (work, Some(all))
            }
        };
        let edited_z = match &early {
            Some(all) => self.edited_z(&[stream.qkv.as_slice(), &new_qkv.of(all)].concat())?,
            None => Vec::new(),
        };
        let mut tapped = Tapped {
            z: None,
            results: None,
            mlp_post: None,
            mlp_out: None,
        };
        let mut end = None;
        if !self.step.keys_only {
            let z = work.buffer(rows * stride_of(d))?;
            self.attend(&mut work, &qkv, &z)?;
            for (at, values) in &edited_z {
                work.put(values, &z, *at)?;
            }
            for edit in hooks.edits_of(BlockHook::Z) {
                work.put(&edit.value, &z, hooks.place(edit, stride_of(d)))?;
            }
            self.read_z(&mut work, &z, taps, &mut tapped)?;
            work.product(
                (&z, rows),
                &self.rest.w_o,
                &self.rest.b_o.buffer,
                (&x, 0),
                Epilogue::Add,
            );
            self.mlp(&mut work, (&x, &normalized), taps, &mut tapped)?;
            end = Some(work.read(&x, (0, rows), d));
        }
        let all = work.done().await?;

        // Nothing below is asynchronous.
        let first = early.as_ref().unwrap_or(&all);
        let qkv_of_rows = new_qkv.of(first);
        stream.qkv.extend_from_slice(&qkv_of_rows);
        hooks.give(taps, BlockHook::ResidPre, &resid, d)?;
        hooks.give(taps, BlockHook::Ln1Scale, &scales.of(first), 1)?;
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            hooks.give_inputs(taps, made_from, &resid)?;
            hooks.give_of_heads(taps, made, &qkv_of_rows[part * d..], 3 * d)?;
        }
        if let Some(end) = end {
            self.attention(stream.qkv).watch(&mut vec![0.0; rows * d], taps)?;
            self.give(taps, &tapped, &all)?;
            stream.resid[range.start * d..range.end * d].copy_from_slice(&end.of(&all));
        } else {
            stream.resid[range.start * d..range.end * d].copy_from_slice(&resid);
        }
        Ok(())
    }

    fn hooks(&self) -> StepHooks<'_> {
        StepHooks {
            step: self.step,
            range: &self.rows.range,
        }
    }

    fn attention<'q>(&'q self, qkv: &'q [f32]) -> Attention<'q> {
        Attention {
            config: self.step.config,
            layer: self.step.layer,
            rows: self.rows,
            qkv,
            edits: self.step.edits,
        }
    }

    /// The edits of queries, keys and values, whose rows are `width` numbers wide in GPU memory, in the order in which
    /// they apply.
    async fn edits_of_qkv(&self, width: usize) -> Result<Vec<Put>> {
        let (config, hooks) = (self.step.config, self.hooks());
        let mut put = Vec::new();
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            for edit in hooks.edits_of(made_from) {
                let columns = columns_of(config, part, edit);
                let at = (edit.row - self.rows.range.start) * width + columns.start;
                let weight = self
                    .block
                    .w_qkv
                    .elements(&self.block.device, 0..config.d_model, columns.clone());
                let value = project(&self.block.small, &weight.await?, columns, &edit.value);
                put.push((at, value));
            }
            for edit in hooks.edits_of(made) {
                let at = (edit.row - self.rows.range.start) * width + columns_of(config, part, edit).start;
                put.push((at, edit.value.clone()));
            }
        }
        Ok(put)
    }

    /// LayerNorm before attention, with edited scales.
    fn normalize(
        &self,
        work: &mut Work<'_>,
        (x, normalized, scales): (&wgpu::Buffer, &wgpu::Buffer, &wgpu::Buffer),
    ) -> Result<()> {
        let (d, range) = (self.step.config.d_model, &self.rows.range);
        let mut edited = vec![[0f32; 2]; range.len()];
        for edit in self.hooks().edits_of(BlockHook::Ln1Scale) {
            edited[edit.row - range.start] = [1.0, edit.value[0]];
        }
        let edited = work.upload(&edited)?;
        let norm = (&self.block.ln_1.buffer, self.block.small.ln_1.eps);
        work.norm(x, (range.len(), d), norm, &edited, (normalized, scales));
        Ok(())
    }

    /// z of the rows with edited scores or patterns, from queries, keys and values of all rows so far.
    fn edited_z(&self, qkv: &[f32]) -> Result<Vec<Put>> {
        let (d, range) = (self.step.config.d_model, &self.rows.range);
        let mut z = vec![0.0; range.len() * d];
        self.attention(qkv).watch(&mut z, &mut NoTaps)?;
        let hooks = [BlockHook::AttnScores, BlockHook::Pattern];
        let edits = self.step.edits.iter().filter(|edit| hooks.contains(&edit.hook));
        let rows = edits.map(|edit| edit.row).filter(|row| range.contains(row));
        let put = rows.map(|row| row - range.start);
        Ok(put
            .map(|row| (row * stride_of(d), z[row * d..][..d].to_vec()))
            .collect())
    }

    /// Computes `z` of all heads.
    fn attend(&self, work: &mut Work<'_>, qkv: &wgpu::Buffer, z: &wgpu::Buffer) -> Result<()> {
        let (config, range) = (self.step.config, &self.rows.range);
        let (mut starts, mut attended, mut of_row) = (vec![0u32], Vec::new(), Vec::new());
        for row in range.clone() {
            self.rows.attended(row, &mut of_row);
            attended.extend(of_row.iter().map(|row| *row as u32));
            starts.push(attended.len() as u32);
        }
        let lists = (&work.upload(&starts)?, &work.upload(&attended)?);
        let shape = AttentionShape {
            rows: range.len(),
            first: range.start,
            n_head: config.n_head,
            d_head: config.d_head(),
            factor: (1.0 / config.score_divisor(self.step.layer)) as f32,
        };
        work.attention(qkv, lists, z, &shape);
        Ok(())
    }

    /// Reads back z and the outputs of heads, where they are captured.
    fn read_z(&self, work: &mut Work<'_>, z: &wgpu::Buffer, taps: &dyn Taps, tapped: &mut Tapped) -> Result<()> {
        let (config, range) = (self.step.config, &self.rows.range);
        if !taps.wanted(BlockHook::Z, range).is_empty() {
            tapped.z = Some(work.read(z, (0, range.len()), config.d_model));
        }
        let rows = taps.wanted(BlockHook::Result, range);
        let heads = taps.heads(BlockHook::Result);
        if rows.is_empty() || heads.is_empty() {
            return Ok(());
        }
        let here = rows.iter().map(|row| (row - range.start) as u32);
        let listed: Vec<u32> = here.chain(heads.iter().map(|head| *head as u32)).collect();
        let listed = work.upload(&listed)?;
        let count = rows.len() * heads.len();
        let results = work.buffer(count * stride_of(config.d_model))?;
        let shape = (rows.len(), heads.len(), config.d_head());
        work.results(z, &self.rest.w_o, &listed, shape, &results);
        tapped.results = Some(work.read(&results, (0, count), config.d_model));
        Ok(())
    }

    /// Adds the MLP's output to `x`, and reads back captured activations.
    fn mlp(
        &self,
        work: &mut Work<'_>,
        (x, normalized): (&wgpu::Buffer, &wgpu::Buffer),
        taps: &dyn Taps,
        tapped: &mut Tapped,
    ) -> Result<()> {
        let (config, range, rest) = (self.step.config, &self.rows.range, self.rest);
        let (rows, hooks) = (range.len(), self.hooks());
        let (d, d_mlp) = (config.d_model, rest.small.b_in.len());
        let hidden = work.buffer(rows * stride_of(d_mlp))?;
        begin_mlp(work, rest, config, (x, normalized, &hidden), rows)?;
        for edit in hooks.edits_of(BlockHook::MlpPost) {
            work.put(&edit.value, &hidden, hooks.place(edit, stride_of(d_mlp)))?;
        }
        if !taps.wanted(BlockHook::MlpPost, range).is_empty() {
            tapped.mlp_post = Some(work.read(&hidden, (0, rows), d_mlp));
        }
        let is_edited = hooks.edits_of(BlockHook::MlpOut).next().is_some();
        let is_tapped = !taps.wanted(BlockHook::MlpOut, range).is_empty();
        if !is_edited && !is_tapped {
            work.product((&hidden, rows), &rest.w_out, &rest.b_out.buffer, (x, 0), Epilogue::Add);
            return Ok(());
        }
        let out = work.buffer(rows * stride_of(d))?;
        work.product(
            (&hidden, rows),
            &rest.w_out,
            &rest.b_out.buffer,
            (&out, 0),
            Epilogue::Store,
        );
        for edit in hooks.edits_of(BlockHook::MlpOut) {
            work.put(&edit.value, &out, hooks.place(edit, stride_of(d)))?;
        }
        work.add(&out, x, (rows, d));
        tapped.mlp_out = is_tapped.then(|| work.read(&out, (0, rows), d));
        Ok(())
    }

    /// Delivers the captured activations.
    fn give(&self, taps: &mut dyn Taps, tapped: &Tapped, all: &[f32]) -> Result<()> {
        let (hooks, d) = (self.hooks(), self.step.config.d_model);
        if let Some(z) = &tapped.z {
            hooks.give_of_heads(taps, BlockHook::Z, &z.of(all), d)?;
        }
        if let Some(results) = &tapped.results {
            let rows = taps.wanted(BlockHook::Result, &self.rows.range);
            taps.give(BlockHook::Result, &rows, &results.of(all))?;
        }
        if let Some(hidden) = &tapped.mlp_post {
            hooks.give(taps, BlockHook::MlpPost, &hidden.of(all), self.rest.small.b_in.len())?;
        }
        if let Some(out) = &tapped.mlp_out {
            hooks.give(taps, BlockHook::MlpOut, &out.of(all), d)?;
        }
        Ok(())
    }
}

/// The neurons after the activation function for `x`; `normalized` receives the normalized rows.
fn begin_mlp(
    work: &mut Work<'_>,
    rest: &Rest,
    config: &Config,
    (x, normalized, hidden): (&wgpu::Buffer, &wgpu::Buffer, &wgpu::Buffer),
    rows: usize,
) -> Result<()> {
    let none_edited = work.upload(&vec![[0f32; 2]; rows])?;
    let scales = work.buffer(rows)?;
    let norm = (&rest.ln_2.buffer, rest.small.ln_2.eps);
    work.norm(x, (rows, config.d_model), norm, &none_edited, (normalized, &scales));
    let then = Epilogue::Activate(config.activation_function);
    work.product((normalized, rows), &rest.w_in, &rest.b_in.buffer, (hidden, 0), then);
    Ok(())
}

/// See [`crate::compute::engine::Block::effective_embedding`].
pub(super) async fn effective_embedding(
    block: &GpuBlock,
    rest: &Rest,
    config: &Config,
    x: Vec<f32>,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let d = config.d_model;
    let rows = x.len() / d;
    if rows == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut work = Work::new(&block.device)?;
    let resid = work.upload(&padded(&x, d))?;
    let (normalized, scales) = (work.buffer(rows * stride_of(d))?, work.buffer(rows)?);
    let none_edited = work.upload(&vec![[0f32; 2]; rows])?;
    let weights = work.upload(&affine(&block.small.ln_1, d, false))?;
    let norm = (&weights, block.small.ln_1.eps);
    work.norm(&resid, (rows, d), norm, &none_edited, (&normalized, &scales));
    let no_bias = work.upload(&vec![0f32; stride_of(3 * d)])?;
    let qkv = work.buffer(rows * stride_of(3 * d))?;
    work.product((&normalized, rows), &block.w_qkv, &no_bias, (&qkv, 0), Epilogue::Store);
    // A row that attends only to itself has its value as z.
    let (starts, own): (Vec<u32>, Vec<u32>) = ((0..=rows as u32).collect(), (0..rows as u32).collect());
    let lists = (&work.upload(&starts)?, &work.upload(&own)?);
    let z = work.buffer(rows * stride_of(d))?;
    let shape = AttentionShape {
        rows,
        first: 0,
        n_head: config.n_head,
        d_head: config.d_head(),
        factor: 1.0,
    };
    work.attention(&qkv, lists, &z, &shape);
    work.product((&z, rows), &rest.w_o, &no_bias, (&resid, 0), Epilogue::Add);
    let hidden = work.buffer(rows * stride_of(rest.small.b_in.len()))?;
    begin_mlp(&mut work, rest, config, (&resid, &normalized, &hidden), rows)?;
    let out = work.buffer(rows * stride_of(d))?;
    work.product(
        (&hidden, rows),
        &rest.w_out,
        &rest.b_out.buffer,
        (&out, 0),
        Epilogue::Store,
    );
    work.add(&out, &resid, (rows, d));
    let (resid, out) = (work.read(&resid, (0, rows), d), work.read(&out, (0, rows), d));
    let all = work.done().await?;
    Ok((resid.of(&all), out.of(&all)))
}
