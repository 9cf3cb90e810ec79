//! How the figures of a sentence are shown.

use crate::analysis::AttentionSection;
use crate::names::{Head, Side};
use crate::plot::Colors;

/// What the map of heads shows of each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Its attention from `dest` to `src`.
    #[default]
    Attention,
    /// Its score.
    Score,
    /// How widely it looks from `dest`: the entropy of its row.
    Entropy,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Attention, Self::Score, Self::Entropy];

    /// Its value in the query, and its name.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Score => "score",
            Self::Entropy => "entropy",
        }
    }

    /// What it is of `head` in `section`.
    pub fn of(self, section: &AttentionSection, head: Head) -> f32 {
        match self {
            Self::Attention => section.row(head).get(section.src).copied().unwrap_or_default(),
            Self::Score => section.scores_of(head).get(section.src).copied().unwrap_or_default(),
            Self::Entropy => section.entropy(head),
        }
    }

    /// The colors of a map with `values`.
    pub(super) fn colors(self, values: impl Iterator<Item = f32>) -> Colors {
        match self {
            Self::Attention => Colors::UpTo(1.0),
            Self::Score => Colors::Diverging(values.map(|value| f64::from(value).abs()).fold(0.0, f64::max)),
            Self::Entropy => Colors::UpTo(values.map(f64::from).fold(0.0, f64::max)),
        }
    }
}

/// How the figures of a sentence are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceView {
    /// Whose writers are shown.
    pub side: Side,
    /// What the map of heads shows.
    pub measure: Measure,
}

impl Default for SentenceView {
    fn default() -> Self {
        Self {
            side: Side::Key,
            measure: Measure::default(),
        }
    }
}
