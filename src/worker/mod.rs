//! What page and worker say to each other, and the loop that serves it.

mod message;

pub use crate::checkpoint::ModelCard;
pub use message::{FromWorker, ToWorker};
