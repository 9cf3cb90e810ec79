//! Marks: the strokes that represent values on a plot.

mod bars;
mod boxes;
mod cell;
mod dot;
mod line;
mod token;

pub use bars::{draw_bars, draw_tops};
pub use boxes::draw_box;
pub use cell::{SMALLEST_FONT, draw_cell, draw_picked_cell};
pub use dot::{dot_rect, draw_dot, draw_picked_dot};
pub use line::draw_marker;
pub use token::{TokenMark, draw_arc, draw_token};
