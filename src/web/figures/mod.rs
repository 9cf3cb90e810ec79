//! The figures: plots with their controls.

mod canvas;
mod colors;
mod dispatch;
pub(super) mod element_observer;
mod explorer;
mod heatmap;
mod histogram;
mod hover_text;
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
mod toolbar;

pub use canvas::PlotCanvas;
pub use dispatch::figure_at;
pub use explorer::Actions;
pub use linked::Linked;
