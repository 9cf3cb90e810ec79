//! The result file, and the statistics that plots are made of.

mod bins;
mod file;
mod heatmaps;
mod name;
mod read;
mod stats;

pub use bins::Bins;
pub(crate) use bins::nice_size;
pub use file::{FORMAT, Heatmap, Histograms, ModelInfo, ResultFile, SeriesSet, Timing};
pub use read::MAX_BYTES;
pub use stats::{BoxStats, mean};
