//! What page and worker say to each other, and the loop that serves it.
//!
//! The loop ([`serve()`]) knows no browser: messages come through a channel and leave through a [`Port`],
//! which is `postMessage` in a worker and a list in tests.

mod message;
mod models;
mod port;
mod serve;

pub use message::{FromWorker, PICKED, ToWorker};
pub use port::Port;
pub use serve::serve;
