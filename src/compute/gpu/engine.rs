//! The [`Engine`] of a GPU.

use std::rc::Rc;

use super::device::GpuDevice;
use super::weights::GpuBlock;
use crate::compute::engine::{Block, Engine};
use crate::error::Result;
use crate::model::block::AttentionInputWeights;
use crate::names::EngineName;

/// An engine on a GPU.
pub(crate) struct Gpu {
    device: Rc<GpuDevice>,
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

    fn take(&self, weights: AttentionInputWeights) -> Result<Box<dyn Block>> {
        Ok(Box::new(GpuBlock::take(Rc::clone(&self.device), weights)?))
    }
}
