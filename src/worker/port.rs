//! The environment of the worker's loop.

#[cfg(feature = "gpu")]
use std::future::ready;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::FromWorker;
use super::work::PAYS;
use crate::checkpoint::{Gate, NoticeBoard, Source, Store};
use crate::error::Result;
#[cfg(feature = "gpu")]
use crate::forward::GpuDevice;
use crate::forward::{ComputeResources, native_engine};
use crate::names::EngineChoice;

/// The environment of the loop: a browser's worker, or a test.
pub trait Port {
    /// Sends `message` to the page.
    fn post(&self, message: FromWorker);

    /// Yields to the event loop. Messages that have arrived are in the channel afterwards.
    fn yield_now(&self) -> LocalBoxFuture<'_, ()>;

    /// A source for the files at `url`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` can't be read from.
    fn source(&self, url: &str) -> Result<Box<dyn Source>>;

    /// The store for pieces of models; None where nothing can be stored.
    fn store(&self) -> Option<Rc<dyn Store>>;

    /// Why nothing can be stored, if so: "this browser has no storage for files".
    fn no_store(&self) -> Option<String> {
        None
    }

    /// The gate that holds back the downloads of all sources while it is closed.
    fn gate(&self) -> Gate;

    /// The board where all sources report notices.
    fn notices(&self) -> NoticeBoard;

    /// What there is to compute with, as it is chosen; where it is left open, without a GPU.
    ///
    /// # Errors
    /// Where the requested engine is not available.
    fn engine(&self, choice: EngineChoice) -> LocalBoxFuture<'_, Result<ComputeResources>> {
        Box::pin(native_engine(choice))
    }

    /// The GPU for large work, where the choice is left open and there is a hardware adapter.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Engine`] for one that computes something else than the CPU.
    #[cfg(feature = "gpu")]
    fn gpu(&self) -> LocalBoxFuture<'_, Result<Option<Rc<GpuDevice>>>> {
        Box::pin(ready(Ok(None)))
    }

    /// From how many floating-point operations on work is large.
    fn large(&self) -> f64 {
        PAYS
    }
}
