//! What can be asked besides where a head looks and why: what it does with it.

use crate::analysis::pair::Question;

/// A part of the answer about what a head does, which is asked for once the reader opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The tokens that it raises and lowers.
    Writes,
    /// Direct effects of all components.
    Effects,
    /// What would come next after each layer.
    Lens,
    /// The directions along which it looks.
    Directions,
}

impl Consequence {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Writes, Self::Effects, Self::Lens, Self::Directions];

    /// Its name in an address.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Effects => "effects",
            Self::Lens => "lens",
            Self::Directions => "directions",
        }
    }

    /// What the reader sees before it is opened.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Writes => "What it writes",
            Self::Effects => "Direct effects",
            Self::Lens => "After each layer",
            Self::Directions => "Directions",
        }
    }

    /// Whether `question` asks for it.
    pub const fn is_open(self, question: &Question) -> bool {
        match self {
            Self::Writes => question.writes,
            Self::Effects => question.effects,
            Self::Lens => question.lens,
            Self::Directions => question.directions,
        }
    }

    /// Lets `question` ask for it, or not.
    pub const fn open(self, question: &mut Question, open: bool) {
        match self {
            Self::Writes => question.writes = open,
            Self::Effects => question.effects = open,
            Self::Lens => question.lens = open,
            Self::Directions => question.directions = open,
        }
    }
}
