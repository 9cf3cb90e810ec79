//! The view of the figures of a sentence.

use std::fmt;
use std::str::FromStr;

use crate::analysis::pair::EffectsSection;
use crate::analysis::{Array, AttentionSection, HeadEffectsSection};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::keys::MAX_LAYER;
use crate::names::{self, Component, Head, HistogramId, Side};
use crate::plot::Colors;
use crate::result::ResultFile;

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
    /// Its mean attention to the token before, over the sentence.
    PreviousToken,
    /// Its mean attention to the first token.
    FirstToken,
    /// Its mean attention to earlier copies of the token, where there are some.
    DuplicateToken,
    /// Its direct effect on the difference of two logits at `dest`, where that was asked for.
    DirectEffect,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Attention,
        Self::Score,
        Self::Entropy,
        Self::PreviousToken,
        Self::FirstToken,
        Self::DuplicateToken,
        Self::DirectEffect,
    ];

    /// Whether it is of the whole sentence, and has to be asked for: [`crate::analysis::pair::Question::measures`].
    pub const fn is_of_sentence(self) -> bool {
        matches!(self, Self::PreviousToken | Self::FirstToken | Self::DuplicateToken)
    }

    /// Its value in the query, and its name.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Score => "score",
            Self::Entropy => "entropy",
            Self::PreviousToken => "previous",
            Self::FirstToken => "first",
            Self::DuplicateToken => "duplicate",
            Self::DirectEffect => "direct",
        }
    }

    /// What it is called beside a number.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PreviousToken => "to the token before",
            Self::FirstToken => "to the first token",
            Self::DuplicateToken => "to copies",
            Self::DirectEffect => "direct effect",
            other => other.value(),
        }
    }

    /// Those that are known of the sentence of `result`: scores are not in recordings of probabilities, those of the sentence and direct
    /// effects only where they were asked for.
    pub fn known(result: &ResultFile) -> impl Iterator<Item = Self> {
        let known = |measure: &Self| {
            let section = result.attention()?;
            match measure {
                Self::Attention | Self::Entropy => Some(()),
                Self::Score => section.scores.as_ref().map(|_| ()),
                Self::DirectEffect => effects(result).map(|_| ()),
                of_sentence => of_sentence.array(section).map(|_| ()),
            }
        };
        Self::ALL.into_iter().filter(move |measure| known(measure).is_some())
    }

    /// Its numbers of all heads, `[layer, head]`, where it is one of the sentence and known of `section`.
    fn array(self, section: &AttentionSection) -> Option<&Array> {
        let measures = section.measures.as_ref()?;
        match self {
            Self::PreviousToken => measures.previous_token.as_ref(),
            Self::FirstToken => measures.first_token.as_ref(),
            Self::DuplicateToken => measures.duplicate_token.as_ref(),
            Self::Attention | Self::Score | Self::Entropy | Self::DirectEffect => None,
        }
    }

    /// It, or attention where it is not known of `result`.
    pub fn or_known(self, result: &ResultFile) -> Self {
        Self::known(result).find(|known| *known == self).unwrap_or_default()
    }

    /// What it is of `head` in the sentence of `result`. None where that is not known.
    pub fn of(self, result: &ResultFile, head: Head) -> Option<f32> {
        let section = result.attention()?;
        match self {
            Self::Attention => section.row(head).get(section.src).copied(),
            Self::Score => section.scores_of(head).get(section.src).copied(),
            Self::Entropy => section.entropy(head),
            Self::DirectEffect => effects(result)?.of(Component::Head(head)),
            of_sentence => {
                let array = of_sentence.array(section)?;
                let heads = *array.shape().last()?;
                let index = head.layer.checked_mul(heads)?.checked_add(head.head)?;
                array.data().get(index).copied().filter(|_| head.head < heads)
            }
        }
    }

    /// The colors of a map with `values`.
    pub(super) fn colors(self, values: impl Iterator<Item = f32>) -> Colors {
        match self {
            Self::Attention | Self::PreviousToken | Self::FirstToken | Self::DuplicateToken => Colors::UpTo(1.0),
            Self::Score | Self::DirectEffect => {
                Colors::Diverging(values.map(|value| f64::from(value).abs()).fold(0.0, f64::max))
            }
            Self::Entropy => Colors::UpTo(values.map(f64::from).fold(0.0, f64::max)),
        }
    }
}

/// The direct effects of `result` at the position that its heads look from: others are left from an earlier question.
fn effects(result: &ResultFile) -> Option<&EffectsSection> {
    let dest = result.attention()?.dest;
    result.effects().filter(|section| section.dest == dest)
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

/// How much of the pattern of a head is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPart {
    /// All of it.
    Whole,
    /// Some rows and columns around the pair.
    NearPair,
}

/// The most tokens whose pattern is whole at first: cells of more are about a pixel in a column of the page.
const WHOLE_AT_FIRST: usize = 40;

impl PatternPart {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Whole, Self::NearPair];

    /// The rows and columns of it that [`Self::NearPair`] shows.
    pub const NEAR: usize = 32;

    /// What is shown at first of a sentence of `tokens` tokens.
    pub const fn at_first(tokens: usize) -> Self {
        if tokens > WHOLE_AT_FIRST {
            Self::NearPair
        } else {
            Self::Whole
        }
    }

    /// Its value in the query.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::NearPair => "near",
        }
    }

    /// What a reader sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::NearPair => "near the pair",
        }
    }
}

/// What stands in one row or column of the table of both sides, as long as it is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentGroup {
    /// Both embeddings.
    Embeddings,
    /// The heads, the MLP and the output bias of a layer.
    Layer(usize),
}

/// What [`ComponentGroup::Embeddings`] is called.
const EMBEDDINGS: &str = "embed";

impl fmt::Display for ComponentGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embeddings => f.pad(EMBEDDINGS),
            Self::Layer(layer) => layer.fmt(f),
        }
    }
}

impl FromStr for ComponentGroup {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let layer = || {
            text.parse()
                .ok()
                .filter(|layer: &usize| *layer <= MAX_LAYER && layer.to_string() == text)
        };
        let found = match text {
            EMBEDDINGS => Some(Self::Embeddings),
            _ => layer().map(Self::Layer),
        };
        found.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a group of components"))
                .expected(format!("{EMBEDDINGS} or a layer such as 3"))
        })
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
    /// How much of the pattern is shown; None for what suits the sentence's length.
    pub pattern: Option<PatternPart>,
    /// Whether the patterns of all heads of the layer are shown, and asked for: [`crate::analysis::pair::Question::layer`].
    pub layer: bool,
    /// Which change the causal map shows.
    pub causal: names::Measure,
    /// On which side components are taken out in it.
    pub causal_side: Side,
    /// The rows of the table of both sides, those of the query side, that are unfolded into components.
    pub rows: Option<ComponentGroup>,
    /// The columns of it, those of the key side, that are.
    pub columns: Option<ComponentGroup>,
}

impl SentenceView {
    /// What is unfolded on `side` of the table of both sides.
    pub fn unfolded(&self, side: Side) -> Option<ComponentGroup> {
        match side {
            Side::Query => self.rows,
            Side::Key => self.columns,
        }
    }

    /// Unfolds `group` on `side` of that table, or nothing.
    pub fn unfold(&mut self, side: Side, group: Option<ComponentGroup>) {
        match side {
            Side::Query => self.rows = group,
            Side::Key => self.columns = group,
        }
    }
}

impl Default for SentenceView {
    fn default() -> Self {
        Self {
            side: Side::Key,
            measure: Measure::default(),
            effect: Effect::default(),
            dots: HistogramId::KeysFixedScores,
            pattern: None,
            layer: false,
            causal: names::Measure::Score,
            causal_side: Side::Key,
            rows: None,
            columns: None,
        }
    }
}
