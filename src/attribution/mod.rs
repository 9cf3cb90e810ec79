//! Attention scores as linear functions: substituted vectors, contributions, and the whole analysis.

mod request;

pub use request::{Analysis, BatchValues, Observer, Phase, Progress};
