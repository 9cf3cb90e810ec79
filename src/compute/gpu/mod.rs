//! The engine on a graphics processor, by WebGPU: WGSL through `wgpu`, in a browser's worker and natively.
//!
//! All numbers are f32. Weights go to the card block by block and stay there; what is tapped, and what the stream is after a block,
//! comes back in one piece per step.

mod block;
mod card;
mod matrix;
mod self_test;
mod step;
mod upload;
mod wgsl;
mod work;

pub use card::{Card, CardInfo};

use std::rc::Rc;

use block::GpuBlock;

use super::engine::{Block, Engine};
use crate::error::Result;
use crate::model::block::AttentionInputWeights;
use crate::names::EngineName;

/// An engine on a card.
pub(crate) struct Gpu {
    card: Rc<Card>,
}

impl Gpu {
    /// On `card`.
    pub(crate) fn new(card: Rc<Card>) -> Self {
        Self { card }
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
        Ok(Box::new(GpuBlock::take(Rc::clone(&self.card), weights)?))
    }
}
