//! What page and worker say to each other, and the loop that serves it.
//!
//! The loop ([`serve()`]) knows no browser: messages come through a channel and leave through a [`Port`],
//! which is `postMessage` in a worker and a list in tests.

#[cfg(all(feature = "page", target_arch = "wasm32"))]
mod browser;
mod message;
mod serve;

#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub use browser::start;
pub use message::{FromWorker, PICKED, ToWorker};
pub use serve::{Port, serve};

pub use crate::checkpoint::ModelCard;
