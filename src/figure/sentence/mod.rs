//! The figures of one sentence: where heads look, the pattern of one, and what makes one score.

pub mod down_words;
mod heads;
mod keys;
mod pattern;
mod script;
mod table;
mod tokens;
mod view;
pub mod words;
mod writers;

pub use heads::Heads;
pub use pattern::Pattern;
pub use table::Both;
pub use tokens::Tokens;
pub use view::{Measure, SentenceView};
pub use writers::{Writers, of_side, writer_at};
