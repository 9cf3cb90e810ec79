//! What a model computes with, and how many of its blocks stay there.

use std::rc::Rc;

use crate::compute::cpu::{Cpu, Gemm, Packed};
use crate::compute::engine::Engine;
#[cfg(feature = "gpu")]
use crate::compute::gpu::{Gpu, GpuDevice};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{ComputeResources, Model};
use crate::names::EngineName;

impl Model {
    /// The engine that computes its blocks.
    pub fn engine(&self) -> EngineName {
        self.engine.name()
    }

    /// How many threads share the engine's work, where it says that itself; 1 where the number is the surroundings'.
    pub fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// The name of the GPU that computes its blocks; None where that is the CPU.
    pub fn device(&self) -> Option<String> {
        self.engine.device()
    }

    /// What computes its blocks.
    pub(super) fn computes_with(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    /// Changes the engine to what is `resources`. Blocks that another one holds are dropped.
    pub fn set_engine(&mut self, resources: ComputeResources) {
        self.drop_blocks();
        self.engine = match resources.kernels {
            Some(kernels) => Rc::new(Cpu::new(Packed::new(kernels))),
            None => Rc::new(Cpu::new(Gemm)),
        };
        (self.fallback, self.engine_failure) = (None, resources.failure);
        #[cfg(feature = "gpu")]
        if let Some(gpu) = resources.gpu {
            self.set_gpu(gpu);
        }
    }

    /// Computes on `GPU` from now on; the engine so far goes on where it fails. Blocks that this one holds are dropped.
    #[cfg(feature = "gpu")]
    pub fn set_gpu(&mut self, gpu: Rc<GpuDevice>) {
        self.drop_blocks();
        self.fallback = Some(std::mem::replace(&mut self.engine, Rc::new(Gpu::new(gpu))));
    }

    pub(super) fn drop_blocks(&mut self) {
        self.blocks.iter_mut().for_each(|block| *block = None);
    }

    /// Why the engine that was chosen does not compute any more, where that has happened since it was asked last: another one goes on.
    pub fn take_engine_failure(&mut self) -> Option<Error> {
        self.engine_failure.take()
    }

    /// Goes on with the engine that stands behind the one that has failed. Its blocks are gone, and are read again.
    ///
    /// # Errors
    /// `error` itself where it is not an engine's, or there is no other engine.
    pub(crate) fn fall_back(&mut self, error: Error) -> Result<()> {
        match self.fallback.take().filter(|_| error.kind == ErrorKind::Engine) {
            Some(engine) => {
                self.drop_blocks();
                self.engine = engine;
                self.engine_failure = Some(error);
                Ok(())
            }
            None => Err(error),
        }
    }

    /// Sets the bytes of blocks to keep in memory, [`BLOCK_BUDGET`](crate::forward::BLOCK_BUDGET) at first.
    pub fn set_block_budget(&mut self, bytes: u64) {
        self.block_budget = bytes;
        let keeps = self.blocks_kept();
        self.blocks.iter_mut().skip(keeps).for_each(|block| *block = None);
    }

    /// Keeps `count` blocks in memory from now on, and drops none of those that are there.
    pub(crate) fn keep_blocks(&mut self, count: usize) {
        self.block_budget = self.engine.block_bytes(self.config()).saturating_mul(count as u64);
    }

    /// How many blocks stay in memory.
    pub(crate) fn blocks_kept(&self) -> usize {
        usize::try_from(self.block_budget / self.engine.block_bytes(self.config())).unwrap_or(usize::MAX)
    }

    /// Whether `layers` blocks stay in memory at once.
    pub fn keeps_blocks(&self, layers: usize) -> bool {
        layers <= self.blocks_kept()
    }
}
