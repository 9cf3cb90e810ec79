//! What the worker's loop needs of what surrounds it.

use std::rc::Rc;

use futures::future::LocalBoxFuture;

use super::FromWorker;
use crate::checkpoint::{Gate, NoticeBoard, Source, Store};
use crate::error::Result;
use crate::forward::{ComputeResources, native_engine};
use crate::names::EngineChoice;

/// What surrounds the loop: a browser's worker, or a test.
pub trait Port {
    /// Sends `message` to the page.
    fn post(&self, message: FromWorker);

    /// Lets the surroundings work: messages that have arrived are in the channel afterwards.
    fn yield_now(&self) -> LocalBoxFuture<'_, ()>;

    /// The files at `url`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` can't be read from.
    fn source(&self, url: &str) -> Result<Box<dyn Source>>;

    /// Where pieces of models are kept; None where nothing can be kept.
    fn store(&self) -> Option<Rc<dyn Store>>;

    /// Why nothing can be kept, where that is so: "this browser has no storage for files".
    fn no_store(&self) -> Option<String> {
        None
    }

    /// Holds the downloads of all sources back while it is closed.
    fn gate(&self) -> Gate;

    /// Where all sources write what a reader should know.
    fn notices(&self) -> NoticeBoard;

    /// What there is to compute with, as it is chosen.
    ///
    /// # Errors
    /// Where what is asked for by name can't be had.
    fn engine(&self, choice: EngineChoice) -> LocalBoxFuture<'_, Result<ComputeResources>> {
        Box::pin(native_engine(choice))
    }
}
