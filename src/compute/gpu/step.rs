//! One step: rows through one block on the GPU.

use super::matrix::affine;
use super::places::Places;
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

/// Values that are put in place of others: from which number on, counted from the first row.
pub(super) type Put = (usize, Vec<f32>);

/// What comes back of a step beside the stream, and queries, keys and values.
#[derive(Default)]
pub(super) struct Tapped {
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
        let hooks = self.hooks();
        let mut resid = stream.resid[range.start * d..range.end * d].to_vec();
        hooks.edit(BlockHook::ResidPre, &mut resid, d);
        let put = self.edits_of_qkv(stride_of(3 * d)).await?;

        let mut work = Work::new(&self.block.device)?;
        let x = work.upload(&padded(&resid, d))?;
        let at = Places::new(&mut work, x, self.rows, config)?;
        self.begin(&mut work, &at, stream.qkv, &put)?;
        let scales = work.read_numbers(&at.scales, range.len());
        let new_qkv = work.read(&at.qkv, (range.start, range.len()), 3 * d);
        let is_edited = |hook| hooks.edits_of(hook).next().is_some();
        let patterns_edited = is_edited(BlockHook::AttnScores) || is_edited(BlockHook::Pattern);

        // Where a pattern is edited, z is computed on the CPU from queries, keys and values.
        let (mut work, early) = if patterns_edited && !self.step.keys_only {
            let (all, work) = work.so_far().await?;
            (work, Some(all))
        } else {
            (work, None)
        };
        let edited_z = match &early {
            Some(all) => self.edited_z(&[stream.qkv.as_slice(), &new_qkv.of(all)].concat())?,
            None => Vec::new(),
        };
        let mut end = None;
        if !self.step.keys_only {
            let tapped = self.finish(&mut work, &at, &edited_z, taps)?;
            end = Some((tapped, work.read(&at.x, (0, range.len()), d)));
        }
        let all = work.done().await?;

        // Nothing below is asynchronous.
        let first = early.as_ref().unwrap_or(&all);
        let qkv_of_rows = new_qkv.of(first);
        stream.qkv.extend_from_slice(&qkv_of_rows);
        self.give_input(taps, (&resid, &scales.of(first)), &qkv_of_rows)?;
        if let Some((tapped, end)) = end {
            self.give_patterns(taps, stream.qkv)?;
            self.give(taps, &tapped, &all)?;
            resid = end.of(&all);
        }
        stream.resid[range.start * d..range.end * d].copy_from_slice(&resid);
        Ok(())
    }

    /// LayerNorm, then queries, keys and values: those of rows before are `known`, and some are `put` in place.
    pub(super) fn begin(&self, work: &mut Work<'_>, at: &Places, known: &[f32], put: &[Put]) -> Result<()> {
        let (d, range) = (self.step.config.d_model, &self.rows.range);
        self.normalize(work, at)?;
        if !known.is_empty() {
            work.put(&padded(known, 3 * d), &at.qkv, 0)?;
        }
        let first = range.start * stride_of(3 * d);
        match self.step.known_qkv {
            Some(known) => work.put(&padded(known, 3 * d), &at.qkv, first)?,
            None => {
                let bias = &self.block.b_qkv.buffer;
                let to = (&at.qkv, range.start);
                work.product(
                    (&at.normalized, range.len()),
                    &self.block.w_qkv,
                    bias,
                    to,
                    Epilogue::Store,
                );
            }
        }
        put.iter()
            .try_for_each(|(place, values)| work.put(values, &at.qkv, first + place))
    }

    /// Attention and MLP of rows that have begun, with some z `edited`; what is tapped is read.
    pub(super) fn finish(&self, work: &mut Work<'_>, at: &Places, edited: &[Put], taps: &dyn Taps) -> Result<Tapped> {
        let (config, range) = (self.step.config, &self.rows.range);
        let (hooks, mut tapped) = (self.hooks(), Tapped::default());
        let shape = AttentionShape {
            rows: range.len(),
            first: range.start,
            n_head: config.n_head,
            d_head: config.d_head(),
            factor: (1.0 / config.score_divisor(self.step.layer)) as f32,
        };
        let [starts, attended] = &at.lists;
        work.attention(&at.qkv, (starts, attended), &at.z, &shape);
        for (place, values) in edited {
            work.put(values, &at.z, *place)?;
        }
        for edit in hooks.edits_of(BlockHook::Z) {
            work.put(&edit.value, &at.z, hooks.place(edit, stride_of(config.d_model)))?;
        }
        self.read_z(work, &at.z, taps, &mut tapped)?;
        let w_o = &self.rest.w_o;
        work.product(
            (&at.z, range.len()),
            w_o,
            &self.rest.b_o.buffer,
            (&at.x, 0),
            Epilogue::Add,
        );
        self.mlp(work, at, taps, &mut tapped)?;
        Ok(tapped)
    }

    /// Hands over what attention is made from, as far as it is wanted: what is not may be missing.
    pub(super) fn give_input(
        &self,
        taps: &mut dyn Taps,
        (resid, scales): (&[f32], &[f32]),
        qkv_of_rows: &[f32],
    ) -> Result<()> {
        let (hooks, d) = (self.hooks(), self.step.config.d_model);
        hooks.give(taps, BlockHook::ResidPre, resid, d)?;
        hooks.give(taps, BlockHook::Ln1Scale, scales, 1)?;
        for (part, (made_from, made)) in QKV.into_iter().enumerate() {
            hooks.give_inputs(taps, made_from, resid)?;
            hooks.give_of_heads(taps, made, qkv_of_rows.get(part * d..).unwrap_or_default(), 3 * d)?;
        }
        Ok(())
    }

    /// Hands over scores and patterns, of queries, keys and values of all rows so far.
    pub(super) fn give_patterns(&self, taps: &mut dyn Taps, qkv: &[f32]) -> Result<()> {
        let mut z = vec![0.0; self.rows.range.len() * self.step.config.d_model];
        self.attention(qkv).watch(&mut z, taps)
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

    /// LayerNorm before attention, with scales that edits put in place.
    fn normalize(&self, work: &mut Work<'_>, at: &Places) -> Result<()> {
        let (d, range, hooks) = (self.step.config.d_model, &self.rows.range, self.hooks());
        let mut edited = None;
        if hooks.edits_of(BlockHook::Ln1Scale).next().is_some() {
            let mut scales = vec![[0f32; 2]; range.len()];
            for edit in hooks.edits_of(BlockHook::Ln1Scale) {
                scales[edit.row - range.start] = [1.0, edit.value[0]];
            }
            edited = Some(work.upload(&scales)?);
        }
        let edited = edited.as_ref().unwrap_or(&at.unedited);
        let norm = (&self.block.ln_1.buffer, self.block.small.ln_1.eps);
        work.norm(&at.x, (range.len(), d), norm, edited, (&at.normalized, &at.scales));
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

    /// Reads z, and what heads write, where that is asked for.
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

    /// Adds what the MLP writes to the stream; what is tapped on the way is read.
    fn mlp(&self, work: &mut Work<'_>, at: &Places, taps: &dyn Taps, tapped: &mut Tapped) -> Result<()> {
        let (config, range, rest) = (self.step.config, &self.rows.range, self.rest);
        let (rows, hooks) = (range.len(), self.hooks());
        let (d, d_mlp) = (config.d_model, rest.small.b_in.len());
        begin_mlp(work, rest, config, at, rows)?;
        for edit in hooks.edits_of(BlockHook::MlpPost) {
            work.put(&edit.value, &at.hidden, hooks.place(edit, stride_of(d_mlp)))?;
        }
        let wanted = self.wanted(taps, BlockHook::MlpPost);
        if !wanted.is_empty() {
            tapped.mlp_post = Some(work.read_some(&at.hidden, &wanted, d_mlp));
        }
        let is_edited = hooks.edits_of(BlockHook::MlpOut).next().is_some();
        let wanted = self.wanted(taps, BlockHook::MlpOut);
        let (w_out, b_out) = (&rest.w_out, &rest.b_out.buffer);
        if !is_edited && wanted.is_empty() {
            work.product((&at.hidden, rows), w_out, b_out, (&at.x, 0), Epilogue::Add);
            return Ok(());
        }
        let out = work.buffer(rows * stride_of(d))?;
        work.product((&at.hidden, rows), w_out, b_out, (&out, 0), Epilogue::Store);
        for edit in hooks.edits_of(BlockHook::MlpOut) {
            work.put(&edit.value, &out, hooks.place(edit, stride_of(d)))?;
        }
        work.add(&out, &at.x, (rows, d));
        if !wanted.is_empty() {
            tapped.mlp_out = Some(work.read_some(&out, &wanted, d));
        }
        Ok(())
    }

    /// The rows that are wanted at `hook`, counted from the first one.
    fn wanted(&self, taps: &dyn Taps, hook: BlockHook) -> Vec<usize> {
        let first = self.rows.range.start;
        let wanted = taps.wanted(hook, &self.rows.range).into_iter();
        wanted.map(|row| row - first).collect()
    }

    /// Hands over what was tapped, of all that came back.
    pub(super) fn give(&self, taps: &mut dyn Taps, tapped: &Tapped, all: &[f32]) -> Result<()> {
        if let Some(z) = &tapped.z {
            let d = self.step.config.d_model;
            self.hooks().give_of_heads(taps, BlockHook::Z, &z.of(all), d)?;
        }
        let rest = [
            (BlockHook::Result, &tapped.results),
            (BlockHook::MlpPost, &tapped.mlp_post),
            (BlockHook::MlpOut, &tapped.mlp_out),
        ];
        for (hook, reading) in rest {
            if let Some(reading) = reading {
                let rows = taps.wanted(hook, &self.rows.range);
                taps.give(hook, &rows, &reading.of(all))?;
            }
        }
        Ok(())
    }
}

/// Neurons of `rows` rows after the activation function.
fn begin_mlp(work: &mut Work<'_>, rest: &Rest, config: &Config, at: &Places, rows: usize) -> Result<()> {
    let scales = work.buffer(rows)?;
    let norm = (&rest.ln_2.buffer, rest.small.ln_2.eps);
    let to = (&at.normalized, &scales);
    work.norm(&at.x, (rows, config.d_model), norm, &at.unedited, to);
    let then = Epilogue::Activate(config.activation_function);
    let (w_in, b_in) = (&rest.w_in, &rest.b_in.buffer);
    work.product((&at.normalized, rows), w_in, b_in, (&at.hidden, 0), then);
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
    let count = x.len() / d;
    if count == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    // A row that attends to itself has its value as z.
    let rows = Rows {
        range: 0..count,
        parents: &vec![None; count],
    };
    let mut work = Work::new(&block.device)?;
    let resid = work.upload(&padded(&x, d))?;
    let at = Places::new(&mut work, resid, &rows, config)?;
    let weights = work.upload(&affine(&block.small.ln_1, d, false))?;
    let norm = (&weights, block.small.ln_1.eps);
    work.norm(&at.x, (count, d), norm, &at.unedited, (&at.normalized, &at.scales));
    let no_bias = work.upload(&vec![0f32; stride_of(3 * d)])?;
    work.product(
        (&at.normalized, count),
        &block.w_qkv,
        &no_bias,
        (&at.qkv, 0),
        Epilogue::Store,
    );
    let shape = AttentionShape {
        rows: count,
        first: 0,
        n_head: config.n_head,
        d_head: config.d_head(),
        factor: 1.0,
    };
    let [starts, attended] = &at.lists;
    work.attention(&at.qkv, (starts, attended), &at.z, &shape);
    work.product((&at.z, count), &rest.w_o, &no_bias, (&at.x, 0), Epilogue::Add);
    begin_mlp(&mut work, rest, config, &at, count)?;
    let out = work.buffer(count * stride_of(d))?;
    work.product(
        (&at.hidden, count),
        &rest.w_out,
        &rest.b_out.buffer,
        (&out, 0),
        Epilogue::Store,
    );
    work.add(&out, &at.x, (count, d));
    let (resid, out) = (work.read(&at.x, (0, count), d), work.read(&out, (0, count), d));
    let all = work.done().await?;
    Ok((resid.of(&all), out.of(&all)))
}
