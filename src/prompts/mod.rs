//! Prompts and the makers they come from.

pub mod ioi;
mod prompt;
mod set;
mod source;
pub mod text;

pub use prompt::{Prompt, Targets};
/// What the token is for that is drawn from the whole vocabulary, among a prompt's [`Prompt::drawn`].
pub(crate) const RANDOM: &str = "random";

pub use set::{IoiSet, PromptSet, TextSet};
pub use source::{Made, PromptSource};
