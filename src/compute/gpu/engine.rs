//! The [`Engine`] of a GPU.

use std::rc::Rc;

use super::device::GpuDevice;
use super::upload::{bytes_of, stride_of};
use super::weights::GpuBlock;
use crate::compute::engine::{Block, Engine, Several};
use crate::error::Result;
use crate::model::Config;
use crate::model::block::AttentionInputWeights;
use crate::names::EngineName;

/// Rows that are worth a piece of work: fewer leave much of a GPU idle.
pub(super) const ROWS: usize = 2048;

/// An engine on a GPU.
pub(crate) struct Gpu {
    pub(super) device: Rc<GpuDevice>,
}

impl Gpu {
    /// An engine on `device`.
    pub(crate) fn new(device: Rc<GpuDevice>) -> Self {
        Self { device }
    }
}

impl Engine for Gpu {
    fn name(&self) -> EngineName {
        EngineName::Gpu
    }

    fn threads(&self) -> usize {
        1
    }

    fn device(&self) -> Option<String> {
        Some(self.device.info().to_string())
    }

    fn block_bytes(&self, config: &Config) -> u64 {
        GpuBlock::bytes(config)
    }

    fn rows_at_once(&self, config: &Config, most: usize) -> usize {
        let of_row = bytes_of(stride_of(config.d_mlp.max(3 * config.d_model)));
        let fitting = usize::try_from(self.device.piece() / of_row).unwrap_or(usize::MAX);
        most.max(ROWS).min(fitting.max(1))
    }

    fn several(&self) -> Option<&dyn Several> {
        Some(self)
    }

    fn take(&self, weights: AttentionInputWeights) -> Result<Box<dyn Block>> {
        Ok(Box::new(GpuBlock::take(Rc::clone(&self.device), weights)?))
    }
}
