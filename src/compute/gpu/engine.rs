//! The engine itself.

use std::rc::Rc;

use super::card::Card;
use super::held::GpuBlock;
use crate::compute::engine::{Block, Engine};
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
