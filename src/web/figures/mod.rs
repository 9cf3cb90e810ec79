//! The figures: plots, and what a reader does with them.

mod at;
mod canvas;
mod colors;
mod explorer;
mod heatmap;
mod histogram;
mod largest;
mod legend;
mod linked;
mod overlay;
mod painter;
mod picture;
mod plain;
mod prompt_list;
mod prompts;
mod scatter;
mod scattered;
mod split;
mod told;
mod toolbar;
pub(super) mod watch;

pub use at::figure_at;
pub use canvas::PlotCanvas;
pub use explorer::Actions;
pub use linked::Linked;
