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

    /// Those that are known of `section`: scores are not in recordings of probabilities.
    pub fn known(section: &AttentionSection) -> impl Iterator<Item = Self> {
        let scores = section.scores.is_some();
        Self::ALL
            .into_iter()
            .filter(move |measure| scores || *measure != Self::Score)
    }

    /// It, or attention where it is not known of `section`.
    pub fn or_known(self, section: &AttentionSection) -> Self {
        Self::known(section).find(|known| *known == self).unwrap_or_default()
    }

    /// What it is of `head` in `section`. None where that is not known.
    pub fn of(self, section: &AttentionSection, head: Head) -> Option<f32> {
        match self {
            Self::Attention => section.row(head).get(section.src).copied(),
            Self::Score => section.scores_of(head).get(section.src).copied(),
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
