//! Prompts and the makers they come from.

pub mod ioi;
mod prompt;
mod set;

pub use prompt::{Prompt, Targets};
pub use set::{IoiSet, PromptSet};
