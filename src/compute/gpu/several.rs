//! Rows through several blocks in one piece of work: the residual stream, queries, keys and values stay on the GPU.

use std::any::Any;

use futures::future::LocalBoxFuture;

use super::engine::{Gpu, ROWS};
use super::places::Places;
use super::step::{BlockStep, Tapped};
use super::upload::{bytes_of, padded, stride_of};
use super::weights::GpuBlock;
use super::work::{Reading, Work};
use crate::compute::engine::{Block, Passed, Several, Stage, Step};
use crate::compute::rows::{LayersTaps, Rows, Taps};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::BlockHook;

/// Floating-point operations of one piece of work: a slow GPU of 200 GFLOP/s takes a fifth of a second for it, during which the windows of a
/// desktop wait. It is five blocks of GPT-2 small for the rows of a batch of the notebook's run.
const WORK: f64 = 4e10;

/// Bytes that one piece of work brings back, about: a block is the last one where there are so many.
const READ: u64 = 64 << 20;

/// Activations of a head that are computed here where they are wanted, from queries, keys and values, or are these.
const FROM_QKV: [BlockHook; 5] = [
    BlockHook::Q,
    BlockHook::K,
    BlockHook::V,
    BlockHook::AttnScores,
    BlockHook::Pattern,
];
/// What shows the residual stream that enters a block.
const FROM_RESID: [BlockHook; 4] = [
    BlockHook::ResidPre,
    BlockHook::QInput,
    BlockHook::KInput,
    BlockHook::VInput,
];

/// What comes back of one block.
struct Back {
    resid: Option<Reading>,
    scales: Option<Reading>,
    qkv: Option<QkvBack>,
    tapped: Tapped,
}

/// Queries, keys and values that come back.
enum QkvBack {
    /// Of all rows.
    All(Reading),
    /// Of those that are asked for.
    Some(Reading),
}

impl Several for Gpu {
    fn blocks_at_once(&self, config: &Config, rows: usize, end: usize) -> usize {
        let widest = (end * stride_of(3 * config.d_model)).max(rows * stride_of(config.d_mlp));
        if rows > ROWS || bytes_of(widest) > self.device.piece() {
            return 0;
        }
        let (d, d_mlp) = (config.d_model as f64, config.d_mlp as f64);
        let of_block = rows.max(1) as f64 * 2.0 * (4.0 * d * d + 2.0 * d * d_mlp);
        // A float beyond all integers is the largest one.
        let blocks = (WORK / of_block) as usize;
        blocks.clamp(1, self.device.blocks_at_once())
    }

    fn through<'a>(
        &'a self,
        config: &'a Config,
        stages: &'a [Stage<'a>],
        rows: &'a Rows<'a>,
        resid: &'a mut [f32],
        taps: &'a mut dyn LayersTaps,
    ) -> LocalBoxFuture<'a, Result<Vec<Passed>>> {
        Box::pin(async move {
            let steps: Vec<Step<'_>> = stages.iter().map(|stage| step(config, stage.layer)).collect();
            let of_rows = rows.range.start * config.d_model..rows.range.end * config.d_model;
            let mut work = Work::new(&self.device)?;
            let x = work.upload(&padded(&resid[of_rows.clone()], config.d_model))?;
            let places = Places::new(&mut work, x, rows, config)?;
            let mut gone: Vec<(BlockStep<'_>, &Stage<'_>, Back)> = Vec::with_capacity(stages.len());
            for (stage, step) in stages.iter().zip(&steps) {
                if work.bytes_read() > READ {
                    break;
                }
                let block = own(stage.block)?;
                let through = BlockStep {
                    block,
                    rest: block.whole()?,
                    step,
                    rows,
                };
                let back = go(&mut work, &through, stage, &places, taps.of_layer(stage.layer).as_ref())?;
                gone.push((through, stage, back));
            }
            let end = work.read(&places.x, (0, rows.range.len()), config.d_model);
            let all = work.done().await?;

            // From here on nothing waits any more.
            let mut passed = Vec::with_capacity(gone.len());
            for (through, stage, back) in gone {
                passed.push(give(&through, stage, back, &all, taps.of_layer(stage.layer).as_mut())?);
            }
            resid[of_rows].copy_from_slice(&end.of(&all));
            Ok(passed)
        })
    }
}

/// A step in which nothing is edited.
fn step(config: &Config, layer: usize) -> Step<'_> {
    Step {
        config,
        layer,
        edits: &[],
        known_qkv: None,
        keys_only: false,
    }
}

/// `block` as one of this engine's.
fn own<'a>(block: &'a (dyn Block + 'static)) -> Result<&'a GpuBlock> {
    let any: &dyn Any = block;
    any.downcast_ref()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a block of another engine was given to a GPU"))
}

/// Adds a block to what is going to be done.
fn go(
    work: &mut Work<'_>,
    through: &BlockStep<'_>,
    stage: &Stage<'_>,
    places: &Places,
    taps: &dyn Taps,
) -> Result<Back> {
    let (rows, config) = (through.rows, through.step.config);
    let (range, d) = (&rows.range, config.d_model);
    let wanted = |hook: &BlockHook| !taps.wanted(*hook, range).is_empty();
    let all_qkv = FROM_QKV.iter().any(wanted) || stage.qkv_of.len() == range.len();
    let is_read = all_qkv || !stage.qkv_of.is_empty();
    let resid = if stage.resid || FROM_RESID.iter().any(wanted) {
        let before = work.snapshot(&places.x, range.len(), d)?;
        Some(work.read(&before, (0, range.len()), d))
    } else {
        None
    };
    let at = places.of_block(work, rows, config, (taps, is_read))?;
    through.begin(work, &at, &stage.known, &[])?;
    let scales = wanted(&BlockHook::Ln1Scale).then(|| work.read_numbers(&at.scales, range.len()));
    let qkv = match (all_qkv, is_read) {
        (true, _) => Some(QkvBack::All(work.read(&at.qkv, (range.start, range.len()), 3 * d))),
        (false, true) => Some(QkvBack::Some(work.read_some(&at.qkv, &stage.qkv_of, 3 * d))),
        (false, false) => None,
    };
    let tapped = through.finish(work, &at, &[], taps)?;
    Ok(Back {
        resid,
        scales,
        qkv,
        tapped,
    })
}

/// Hands over what has come back of a block, and gives what was asked for.
fn give(through: &BlockStep<'_>, stage: &Stage<'_>, back: Back, all: &[f32], taps: &mut dyn Taps) -> Result<Passed> {
    let (width, first) = (3 * through.step.config.d_model, through.rows.range.start);
    let of = |reading: &Option<Reading>| reading.as_ref().map(|reading| reading.of(all)).unwrap_or_default();
    let (resid, scales) = (of(&back.resid), of(&back.scales));
    let (of_rows, asked) = match &back.qkv {
        None => (Vec::new(), Vec::new()),
        Some(QkvBack::Some(reading)) => (Vec::new(), reading.of(all)),
        Some(QkvBack::All(reading)) => {
            let of_rows = reading.of(all);
            let row = |row: &usize| &of_rows[(row - first) * width..][..width];
            let asked = stage.qkv_of.iter().flat_map(row).copied().collect();
            (of_rows, asked)
        }
    };
    through.give_input(taps, (&resid, &scales), &of_rows)?;
    if !of_rows.is_empty() {
        through.give_patterns(taps, &[stage.known.as_slice(), &of_rows].concat())?;
    }
    through.give(taps, &back.tapped, all)?;
    Ok(Passed {
        resid: if stage.resid { resid } else { Vec::new() },
        qkv: asked,
    })
}
