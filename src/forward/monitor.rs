//! Who is told what a model is doing.

use futures::future::LocalBoxFuture;

use crate::checkpoint::Traffic;
use crate::error::Result;

/// Is told of reading and computing while a model works, and may stop it. Reading and computing overlap.
pub trait Monitor {
    /// Nothing can be computed until more weights have come.
    fn waiting(&self);

    /// Computing begins or goes on.
    fn computing(&self);

    /// `bytes` more of weights have come.
    fn loaded(&self, bytes: u64, traffic: &Traffic);

    /// `positions` positions of pass `pass` (counted within one call) have gone through `layer`.
    fn computed(&self, pass: usize, layer: usize, positions: usize);

    /// Lets the surroundings work and says whether to go on. Awaited between rows of a block.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] to stop; the model stays usable.
    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>>;
}

/// Watches nothing and never stops.
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
