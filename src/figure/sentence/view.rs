//! How the figures of a sentence are shown.

use crate::analysis::{AttentionSection, HeadEffectsSection};
use crate::names::{Head, HistogramId, Side};
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

/// What the map of recorded effects shows of every head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// Its direct effect.
    #[default]
    Direct,
    /// The same without one of the heads.
    Without,
    /// What changes in it.
    Change,
    /// What its output restores.
    PatchedZ,
    /// What its values restore.
    PatchedV,
    /// What its pattern restores.
    PatchedPattern,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Direct,
        Self::Without,
        Self::Change,
        Self::PatchedZ,
        Self::PatchedV,
        Self::PatchedPattern,
    ];

    /// Its value in the query, and the name of its column.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Without => "without",
            Self::Change => "change",
            Self::PatchedZ => "patched_z",
            Self::PatchedV => "patched_v",
            Self::PatchedPattern => "patched_pattern",
        }
    }

    /// What a reader sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Direct => "direct effect",
            Self::Without => "without one head",
            Self::Change => "change",
            Self::PatchedZ => "output restores",
            Self::PatchedV => "values restore",
            Self::PatchedPattern => "pattern restores",
        }
    }

    /// Its value of every head in `section`, by layer; empty where it is not known.
    pub fn by_head(self, section: &HeadEffectsSection) -> Vec<(Head, f32)> {
        let heads = section.direct.shape().last().copied().unwrap_or(1).max(1);
        let values = self.values(section).unwrap_or_default().into_iter().enumerate();
        values
            .map(|(place, value)| (Head::new(place / heads, place % heads), value))
            .collect()
    }

    /// Its values in `section`, `[layer * head]`. None where they are not known.
    pub(super) fn values(self, section: &HeadEffectsSection) -> Option<Vec<f32>> {
        let array = match self {
            Self::Direct => &section.direct,
            Self::Without => &section.without.as_ref()?.direct,
            Self::Change => {
                let after = section.without.as_ref()?.direct.data().iter();
                return Some(
                    after
                        .zip(section.direct.data())
                        .map(|(after, before)| after - before)
                        .collect(),
                );
            }
            Self::PatchedZ => &section.patched.as_ref()?.z,
            Self::PatchedV => &section.patched.as_ref()?.v,
            Self::PatchedPattern => &section.patched.as_ref()?.pattern,
        };
        Some(array.data().to_vec())
    }
}

/// How the figures of a sentence are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceView {
    /// Whose writers are shown.
    pub side: Side,
    /// What the map of heads shows.
    pub measure: Measure,
    /// What the map of recorded effects shows.
    pub effect: Effect,
    /// Which values substituted vectors are shown with, and on which side they are put.
    pub dots: HistogramId,
}

impl Default for SentenceView {
    fn default() -> Self {
        Self {
            side: Side::Key,
            measure: Measure::default(),
            effect: Effect::default(),
            dots: HistogramId::KeysFixedScores,
        }
    }
}
