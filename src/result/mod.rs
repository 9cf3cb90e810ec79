//! The result file, and the statistics that plots are made of.

mod file;

pub use file::{FORMAT, Heatmap, Histograms, ModelInfo, ResultFile, SeriesSet, Timing};
