//! The messages between page and worker, and the loop that serves them.
//!
//! The loop ([`serve()`]) does not depend on a browser: messages arrive through a channel and are sent through a
//! [`Port`], which is `postMessage` in a worker and a list in tests.

mod message;
mod models;
mod port;
mod serve;
mod work;

pub use message::{FromWorker, PICKED, ToWorker};
pub use port::Port;
pub use serve::serve;
