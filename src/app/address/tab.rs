//! The parts of the page.

use crate::error::Result;
use crate::figure::keys::wrong;

/// The key of the part of the page.
pub(super) const TAB: &str = "tab";

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// Recorded analysis of one head, step by step.
    #[default]
    Story,
    /// One sentence, with any pair of its tokens and any head.
    Sentence,
    /// One head on many prompts.
    Prompts,
}

impl Tab {
    /// All of them, in display order.
    pub const ALL: [Self; 3] = [Self::Story, Self::Sentence, Self::Prompts];

    /// The value in an address.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Sentence => "sentence",
            Self::Prompts => "prompts",
        }
    }

    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Story => "Story",
            Self::Sentence => "Your sentence",
            Self::Prompts => "Many prompts",
        }
    }

    /// The tab whose value is `value`.
    pub(super) fn of_value(value: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|tab| tab.value() == value);
        found.ok_or_else(|| wrong(TAB, value, Self::ALL.map(Self::value).join(" or ")))
    }
}
