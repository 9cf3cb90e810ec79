//! Progress reports and cancellation while a model works.

use futures::future::LocalBoxFuture;

use crate::checkpoint::Traffic;
use crate::error::Result;

/// Receives progress reports while a model reads weights and computes, which happens concurrently, and can cancel the
/// work.
pub trait Monitor {
    /// Called when computing has to wait for weights.
    fn waiting(&self);

    /// Called when computing starts or resumes.
    fn computing(&self);

    /// Called when `bytes` more bytes of weights have arrived.
    fn loaded(&self, bytes: u64, traffic: &Traffic);

    /// Called when `positions` positions of pass number `pass` (within one call) have gone through `layer`.
    fn computed(&self, pass: usize, layer: usize, positions: usize);

    /// Yields to the event loop, then checks for cancellation. Awaited between rows of a block.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] to stop; the model stays usable.
    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>>;
}

/// Ignores all reports and never cancels.
pub struct NoMonitor;

impl Monitor for NoMonitor {
    fn waiting(&self) {}

    fn computing(&self) {}

    fn loaded(&self, _bytes: u64, _traffic: &Traffic) {}

    fn computed(&self, _pass: usize, _layer: usize, _positions: usize) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
