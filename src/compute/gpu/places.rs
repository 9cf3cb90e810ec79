//! Where rows are on the GPU while they go through blocks.

use super::upload::stride_of;
use super::work::Work;
use crate::compute::rows::{Rows, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::names::BlockHook;

/// Buffers for rows on their way through a block. The next block has the same, but for what is read of one: that is there until the end.
#[derive(Clone)]
pub(super) struct Places {
    /// The residual stream, `[rows, d_model]`.
    pub(super) x: wgpu::Buffer,
    /// The same after LayerNorm.
    pub(super) normalized: wgpu::Buffer,
    /// Scales of the LayerNorm before attention, `[rows]`.
    pub(super) scales: wgpu::Buffer,
    /// Queries, keys and values of all rows so far, `[rows, 3 * d_model]`.
    pub(super) qkv: wgpu::Buffer,
    /// Of all heads, `[rows, d_model]`.
    pub(super) z: wgpu::Buffer,
    /// Neurons, `[rows, d_mlp]`.
    pub(super) hidden: wgpu::Buffer,
    /// Scales that nobody edits, `[rows, 2]`.
    pub(super) unedited: wgpu::Buffer,
    /// Where the list of rows begins that a row attends to, and all these lists.
    pub(super) lists: [wgpu::Buffer; 2],
}

impl Places {
    /// For `rows` of a model of `config`, whose residual stream is `x`.
    pub(super) fn new(work: &mut Work<'_>, x: wgpu::Buffer, rows: &Rows<'_>, config: &Config) -> Result<Self> {
        let (count, d) = (rows.range.len(), stride_of(config.d_model));
        let (mut starts, mut attended, mut of_row) = (vec![0u32], Vec::new(), Vec::new());
        for row in rows.range.clone() {
            rows.attended(row, &mut of_row);
            attended.extend(of_row.iter().map(|row| *row as u32));
            starts.push(attended.len() as u32);
        }
        Ok(Self {
            x,
            normalized: work.buffer(count * d)?,
            scales: work.buffer(count)?,
            qkv: work.buffer(rows.range.end * stride_of(3 * config.d_model))?,
            z: work.buffer(count * d)?,
            hidden: work.buffer(count * stride_of(config.d_mlp))?,
            unedited: work.upload(&vec![[0f32; 2]; count])?,
            lists: [work.upload(&starts)?, work.upload(&attended)?],
        })
    }

    /// The same for a block of which `taps` want something, and its queries, keys and values are read where that `is_read`: what is read of it is
    /// nobody else's.
    pub(super) fn of_block(
        &self,
        work: &mut Work<'_>,
        rows: &Rows<'_>,
        config: &Config,
        (taps, is_read): (&dyn Taps, bool),
    ) -> Result<Self> {
        let count = rows.range.len();
        let wanted = |hook| !taps.wanted(hook, &rows.range).is_empty();
        let mut own = self.clone();
        if wanted(BlockHook::Ln1Scale) {
            own.scales = work.buffer(count)?;
        }
        if is_read {
            own.qkv = work.buffer(rows.range.end * stride_of(3 * config.d_model))?;
        }
        if wanted(BlockHook::Z) {
            own.z = work.buffer(count * stride_of(config.d_model))?;
        }
        if wanted(BlockHook::MlpPost) {
            own.hidden = work.buffer(count * stride_of(config.d_mlp))?;
        }
        Ok(own)
    }
}
