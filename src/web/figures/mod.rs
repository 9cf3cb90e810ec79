//! The five figures: plots, and what a reader does with them.

mod canvas;
mod explorer;
mod heatmap;
mod histogram;
mod legend;
mod linked;
mod overlay;
mod painter;
mod picture;
mod prompts;
mod split;
mod toolbar;
mod watch;

pub use heatmap::HeatmapFigure;
pub use histogram::HistogramFigure;
pub use linked::Linked;
