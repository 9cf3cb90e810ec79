//! Attention scores as linear functions: substituted vectors, contributions, and the whole analysis.
//!
//! The score of a head from END to IO is linear in the normalised residual stream at either end once
//! the other end is fixed. [`analyze()`] puts vectors of known meaning in its place (histograms) and
//! splits it into the components that were added to the stream (heatmaps).

mod analyze;
mod contributions;
mod head_attention;
mod meter;
mod request;
mod scores;
mod series;

pub use analyze::{MAX_BATCH_SIZE, MAX_BATCHES, analyze};
pub use contributions::{Contributions, contributions};
pub use head_attention::{HeadAttention, head_attention};
pub use request::{Analysis, BatchValues, Observer, Phase, Progress};
