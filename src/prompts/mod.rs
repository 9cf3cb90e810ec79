//! Prompts and the makers they come from: a list at the end of this file; `maker.rs` says what one is.

pub mod ioi;
#[macro_use]
mod maker;
mod prompt;
pub mod text;

pub use ioi::IoiSet;
pub(crate) use prompt::RANDOM;
pub use prompt::{Prompt, Targets};
pub use text::TextSet;

// All makers: what each is asked for, and what stands in a result for its prompts.
makers! {
    /// Draws from the IOI dataset.
    Ioi(ioi::IoiSet) => ioi::IoiSet;
    /// Texts that a reader wrote. They are the prompts of the result themselves.
    Text(text::TextPrompts) => text::TextSet;
}

impl Default for PromptSource {
    fn default() -> Self {
        Self::Ioi(IoiSet::default())
    }
}

impl PromptSet {
    /// The drawn prompts of the IOI dataset, if they are.
    pub fn ioi(&self) -> Option<&IoiSet> {
        match self {
            Self::Ioi(set) => Some(set),
            _ => None,
        }
    }
}
