//! Who is told what a model is doing.

use futures::future::LocalBoxFuture;

use crate::error::Result;

/// Is told of reading and computing while a model works, and may stop it.
pub trait Watcher {
    /// Reading weights begins.
    fn loading(&mut self);

    /// `bytes` of weights have been read.
    fn loaded(&mut self, bytes: u64);

    /// `positions` positions of pass `pass` (counted within one call) have gone through `layer`.
    fn computed(&mut self, pass: usize, layer: usize, positions: usize);

    /// Lets the surroundings work and says whether to go on. Awaited after every
    /// [`crate::gpt2::CHUNK`] rows of a block.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] to stop; the model stays usable.
    fn breathe(&mut self) -> LocalBoxFuture<'_, Result<()>>;
}

/// Watches nothing and never stops.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn loading(&mut self) {}

    fn loaded(&mut self, _bytes: u64) {}

    fn computed(&mut self, _pass: usize, _layer: usize, _positions: usize) {}

    fn breathe(&mut self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
