//! Reads tensors of a checkpoint and says so.

use crate::checkpoint::TensorSpec;
use crate::error::Result;
use crate::forward::Watcher;
use crate::model::tensors::Tensors;
use crate::model::{Checkpoint, Config};

/// Reads tensors of a checkpoint and tells a watcher how many bytes came.
#[derive(Clone, Copy)]
pub(crate) struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    watcher: &'a dyn Watcher,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(checkpoint: &'a Checkpoint, watcher: &'a dyn Watcher) -> Self {
        Self { checkpoint, watcher }
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.checkpoint.config()
    }

    /// Whether the checkpoint has a tensor `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.checkpoint.weights().has(name)
    }

    /// The tensors `wanted`, by name and shape.
    pub(crate) async fn tensors(&self, wanted: &[TensorSpec]) -> Result<Tensors> {
        self.watcher.breathe().await?;
        let seen = |bytes| self.seen(bytes);
        Ok(Tensors(self.checkpoint.weights().tensors(wanted, &seen).await?))
    }

    /// Hands each row of the matrix `name` to `row`.
    pub(crate) async fn rows(&self, name: &str, shape: [usize; 2], row: &mut dyn FnMut(&[f32])) -> Result<()> {
        self.watcher.breathe().await?;
        let seen = |bytes| self.seen(bytes);
        self.checkpoint.weights().rows(name, shape, &seen, row).await
    }

    fn seen(&self, bytes: u64) {
        self.watcher.loaded(bytes, &self.checkpoint.traffic());
    }
}
