//! Prompts and their makers. The list of makers is at the end of this file; `maker.rs` has their interface.

pub mod ioi;
#[macro_use]
mod maker;
mod prompt;
pub mod text;

pub use ioi::IoiSet;
pub(crate) use prompt::RANDOM;
pub use prompt::{Prompt, Targets};
pub use text::TextSet;

// All makers: settings, and the entry in a result.
makers! {
    /// Draws from the IOI dataset.
    Ioi(ioi::IoiSet) => ioi::IoiSet;
    /// The user's own texts, which are the prompts of the result themselves.
    Text(text::TextPrompts) => text::TextSet;
}

impl Default for PromptSource {
    fn default() -> Self {
        Self::Ioi(IoiSet::default())
    }
}

impl PromptSet {
    /// The IOI prompt set, if the prompts are drawn from the IOI dataset.
    pub fn ioi(&self) -> Option<&IoiSet> {
        match self {
            Self::Ioi(set) => Some(set),
            _ => None,
        }
    }
}
