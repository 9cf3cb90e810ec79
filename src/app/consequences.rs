//! The cards below the decomposed score: what the head does with the attended token. On the page: "So what?"

use crate::analysis::pair::Question;

/// A card, whose part of the answer is requested when the user opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The tokens that it raises and lowers.
    Writes,
    /// Direct effects of all components.
    Effects,
    /// The logit lens: predictions after each layer.
    Lens,
    /// The singular directions of the head.
    Directions,
}

impl Consequence {
    /// All of them, in display order.
    pub const ALL: [Self; 4] = [Self::Writes, Self::Effects, Self::Lens, Self::Directions];

    /// The name in URLs.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Effects => "effects",
            Self::Lens => "lens",
            Self::Directions => "directions",
        }
    }

    /// The title.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Writes => "What it writes",
            Self::Effects => "Direct effects",
            Self::Lens => "After each layer",
            Self::Directions => "Directions",
        }
    }

    /// Whether `question` requests it.
    pub const fn is_open(self, question: &Question) -> bool {
        match self {
            Self::Writes => question.writes,
            Self::Effects => question.effects,
            Self::Lens => question.lens,
            Self::Directions => question.directions,
        }
    }

    /// Adds it to `question` or removes it.
    pub const fn open(self, question: &mut Question, open: bool) {
        match self {
            Self::Writes => question.writes = open,
            Self::Effects => question.effects = open,
            Self::Lens => question.lens = open,
            Self::Directions => question.directions = open,
        }
    }
}
