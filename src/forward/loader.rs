//! Reads tensors of a checkpoint and reports progress.

use crate::checkpoint::TensorSpec;
use crate::error::Result;
use crate::forward::Monitor;
use crate::model::tensors::{TensorRow, Tensors};
use crate::model::{Checkpoint, Config};

/// Reads tensors of a checkpoint and reports the bytes to a [`Monitor`].
#[derive(Clone, Copy)]
pub(crate) struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    monitor: &'a dyn Monitor,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(checkpoint: &'a Checkpoint, monitor: &'a dyn Monitor) -> Self {
        Self { checkpoint, monitor }
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.checkpoint.config()
    }

    /// The matrix whose rows are the columns of W_U.
    pub(crate) fn unembedding(&self) -> TensorRow {
        self.checkpoint.unembedding()
    }

    /// Reads the tensors `wanted`, by name and shape. Biases that the checkpoint does not have are 0.
    pub(crate) async fn tensors(&self, wanted: &[TensorSpec]) -> Result<Tensors> {
        self.monitor.yield_now().await?;
        let seen = |bytes| self.seen(bytes);
        let weights = self.checkpoint.weights();
        let (there, missing): (Vec<TensorSpec>, _) = wanted.iter().cloned().partition(|(name, _)| weights.has(name));
        let mut read = weights.tensors(&there, &seen).await?;
        read.extend(
            missing
                .into_iter()
                .map(|(name, shape)| (name, vec![0.0; shape.iter().product()])),
        );
        Ok(Tensors(read))
    }

    /// Streams the rows of the matrix `name` to `row`.
    pub(crate) async fn rows(&self, name: &str, shape: [usize; 2], row: &mut dyn FnMut(&[f32])) -> Result<()> {
        let seen = |bytes| self.seen(bytes);
        let yield_now = async || self.monitor.yield_now().await;
        self.checkpoint.weights().rows(name, shape, &seen, yield_now, row).await
    }

    /// Reads only the rows `indices` (ascending) of the matrix `name`.
    pub(crate) async fn some_rows(
        &self,
        name: &str,
        shape: [usize; 2],
        indices: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Vec<f32>>> {
        self.monitor.yield_now().await?;
        let seen = |bytes| self.seen(bytes);
        self.checkpoint.weights().some_rows(name, shape, indices, &seen).await
    }

    fn seen(&self, bytes: u64) {
        self.monitor.loaded(bytes, &self.checkpoint.traffic());
    }
}
