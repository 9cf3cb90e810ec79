//! Reads tensors of a checkpoint and says so.

use candle_core::Tensor;

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::gpt2::layer_norm::Affine;
use crate::gpt2::{Config, Watcher, tensor};

/// Reads tensors of a checkpoint and tells a watcher how many bytes they were.
pub(crate) struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    watcher: &'a mut dyn Watcher,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(checkpoint: &'a Checkpoint, watcher: &'a mut dyn Watcher) -> Self {
        watcher.loading();
        Self { checkpoint, watcher }
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.checkpoint.config()
    }

    /// Whether the checkpoint has a tensor `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.checkpoint.has(name)
    }

    /// Tensor `name` of shape `shape`.
    pub(crate) async fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.watcher.breathe().await?;
        let tensor = self.checkpoint.tensor(name, shape).await?;
        self.watcher.loaded(self.checkpoint.size_in_bytes(name));
        Ok(tensor)
    }

    /// The elements of tensor `name` of shape `shape`, in row order.
    pub(crate) async fn elements(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        tensor::to_vec(&self.tensor(name, shape).await?)
    }

    /// Weight and bias of the LayerNorm `name` ("h.0.ln_1").
    pub(crate) async fn layer_norm(&mut self, name: &str) -> Result<Affine> {
        let shape = [self.config().d_model];
        Ok(Affine {
            weight: self.elements(&format!("{name}.weight"), &shape).await?,
            bias: self.elements(&format!("{name}.bias"), &shape).await?,
        })
    }
}
