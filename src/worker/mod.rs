//! What page and worker say to each other, and the loop that serves it.

mod message;

pub use message::{FromWorker, ModelCard, ToWorker};
