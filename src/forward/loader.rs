//! Reads tensors of a checkpoint and says so.

use std::collections::BTreeMap;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::Watcher;
use crate::forward::layer_norm::Affine;
use crate::model::Config;

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
        self.checkpoint.has(name)
    }

    /// The tensors `wanted`, by name and shape.
    pub(crate) async fn tensors(&self, wanted: &[(String, Vec<usize>)]) -> Result<Tensors> {
        self.watcher.breathe().await?;
        let seen = |bytes| self.seen(bytes);
        Ok(Tensors(self.checkpoint.tensors(wanted, &seen).await?))
    }

    /// Hands each row of the matrix `name` to `row`.
    pub(crate) async fn rows(&self, name: &str, shape: [usize; 2], row: &mut dyn FnMut(&[f32])) -> Result<()> {
        self.watcher.breathe().await?;
        let seen = |bytes| self.seen(bytes);
        self.checkpoint.rows(name, shape, &seen, row).await
    }

    fn seen(&self, bytes: u64) {
        self.watcher.loaded(bytes, &self.checkpoint.traffic());
    }
}

/// Tensors that were read, in row order, each to be taken once.
pub(crate) struct Tensors(BTreeMap<String, Vec<f32>>);

impl Tensors {
    /// The elements of tensor `name`.
    pub(crate) fn take(&mut self, name: &str) -> Result<Vec<f32>> {
        let missing = || Error::new(ErrorKind::Internal, format!("tensor {name} was not read"));
        self.0.remove(name).ok_or_else(missing)
    }

    /// Weight and bias of the LayerNorm `name` ("h.0.ln_1").
    pub(crate) fn layer_norm(&mut self, name: &str) -> Result<Affine> {
        Ok(Affine {
            weight: self.take(&format!("{name}.weight"))?,
            bias: self.take(&format!("{name}.bias"))?,
        })
    }
}
