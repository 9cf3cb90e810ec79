//! The names of heatmaps: contributions of components to a score, or to a variant of it.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Side, UnknownName};

const SUB_W_U: &str = "subWU";
const SUB_MLP_0: &str = "subMLP0";
const SPLIT: &str = "split";
const SUB_S1: &str = "subS1";
const SEED: &str = "seed";
/// Separates a heatmap's name from its facet's.
const FACET: char = '/';

/// A heatmap: "key", "query_subMLP0", "key_split_subS1/q par k perp", "key_seed42".
///
/// Ordered for display: the key side first, facets together, then recorded ones of other prompts, and unknown names
/// last.
///
/// ```
/// use keyside::names::{HeatmapId, HeatmapParts, Side, HeatmapVariant};
///
/// let parts = HeatmapParts { variant: HeatmapVariant::FromWu, ..HeatmapParts::of(Side::Key) };
/// assert_eq!(HeatmapId::from("key_subWU"), HeatmapId::Ours(parts));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum HeatmapId {
    /// A heatmap that this program computes or ships.
    Ours(HeatmapParts),
    /// An unknown heatmap of another program's file.
    Other(UnknownName),
}

/// The parts of a known heatmap's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeatmapParts {
    /// The side whose components the score is decomposed into.
    pub side: Side,
    /// What replaces the other end of the score, or that both ends are split.
    pub variant: HeatmapVariant,
    /// Whether the same for END->S1 is subtracted, "subS1".
    pub minus_s1: bool,
    /// Seed of the prompts if they differ from the run's, "seed42": only recorded ones.
    pub seed: Option<u64>,
}

/// What replaces an end of the score, or that the ends are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeatmapVariant {
    /// Nothing.
    Whole,
    /// The query is made from W_U\[IO\], "subWU".
    FromWu,
    /// The key is made from the output of MLP 0, "subMLP0".
    FromMlp0,
    /// Query and key are both split, "split": the common name of the four facets.
    Split,
    /// One of the four facets.
    Facet(Facet),
}

/// Which parts of query and key: "q par k perp".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facet {
    /// The query's part along W_U\[IO\], or the rest.
    pub query: SplitPart,
    /// The key's part along the output of MLP 0, or the rest.
    pub key: SplitPart,
}

/// A part of a vector that is split along a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SplitPart {
    /// Along the direction, "par".
    Parallel,
    /// The rest, "perp".
    Perpendicular,
}

impl SplitPart {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Parallel, Self::Perpendicular];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Parallel => "par",
            Self::Perpendicular => "perp",
        }
    }

    /// The sign: ∥ or ⟂.
    pub const fn sign(self) -> char {
        match self {
            Self::Parallel => '\u{2225}',
            Self::Perpendicular => '\u{27c2}',
        }
    }
}

impl Facet {
    /// All four, in the order in which they are shown.
    pub const ALL: [Self; 4] = {
        let [parallel, perpendicular] = SplitPart::ALL;
        [
            Self::new(parallel, parallel),
            Self::new(parallel, perpendicular),
            Self::new(perpendicular, parallel),
            Self::new(perpendicular, perpendicular),
        ]
    };

    /// The facet of these parts of query and key.
    pub const fn new(query: SplitPart, key: SplitPart) -> Self {
        Self { query, key }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.to_string() == text)
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("q {} k {}", self.query.as_str(), self.key.as_str()))
    }
}

impl HeatmapParts {
    /// The whole score, decomposed by the components of `side`.
    pub const fn of(side: Side) -> Self {
        Self {
            side,
            variant: HeatmapVariant::Whole,
            minus_s1: false,
            seed: None,
        }
    }

    /// The name without the facet: "key_split_subS1".
    fn group(&self) -> String {
        let variant = match self.variant {
            HeatmapVariant::Whole => None,
            HeatmapVariant::FromWu => Some(SUB_W_U),
            HeatmapVariant::FromMlp0 => Some(SUB_MLP_0),
            HeatmapVariant::Split | HeatmapVariant::Facet(_) => Some(SPLIT),
        };
        let mut words = vec![self.side.as_str().to_owned()];
        words.extend(variant.map(str::to_owned));
        words.extend(self.minus_s1.then(|| SUB_S1.to_owned()));
        words.extend(self.seed.map(|seed| format!("{SEED}{seed}")));
        words.join("_")
    }

    fn facet(&self) -> Option<Facet> {
        match self.variant {
            HeatmapVariant::Facet(facet) => Some(facet),
            HeatmapVariant::Whole | HeatmapVariant::FromWu | HeatmapVariant::FromMlp0 | HeatmapVariant::Split => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (group, facet) = split_facet(text);
        let mut words = group.split('_');
        let mut parts = Self::of(words.next()?.parse().ok()?);
        for word in words {
            match word {
                SUB_W_U => parts.variant = HeatmapVariant::FromWu,
                SUB_MLP_0 => parts.variant = HeatmapVariant::FromMlp0,
                SPLIT => parts.variant = HeatmapVariant::Split,
                SUB_S1 => parts.minus_s1 = true,
                _ => parts.seed = Some(word.strip_prefix(SEED)?.parse().ok()?),
            }
        }
        if let Some(facet) = facet {
            parts.variant = HeatmapVariant::Facet(Facet::read(facet)?);
        }
        // Only the canonical form is valid: "key_subS1_subWU" and "key/q par k par" are unknown names.
        (parts.to_string() == text).then_some(parts)
    }

    /// The place in the display order, with the facets of a group together; None for heatmaps of other prompts, which
    /// come last.
    fn place(&self) -> Option<usize> {
        let side = match self.side {
            Side::Key => 0,
            Side::Query => 1,
        };
        let variant = match self.variant {
            HeatmapVariant::Whole => 0,
            HeatmapVariant::FromWu => 1,
            HeatmapVariant::FromMlp0 => 2,
            HeatmapVariant::Split | HeatmapVariant::Facet(_) => 3,
        };
        self.seed
            .is_none()
            .then_some(8 * side + 2 * variant + usize::from(self.minus_s1))
    }
}

impl fmt::Display for HeatmapParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.group();
        match self.facet() {
            Some(facet) => f.pad(&format!("{group}{FACET}{facet}")),
            None => f.pad(&group),
        }
    }
}

/// "key_split/q par k par" is the facet "q par k par" of "key_split".
fn split_facet(text: &str) -> (&str, Option<&str>) {
    match text.split_once(FACET) {
        Some((group, facet)) => (group, Some(facet)),
        None => (text, None),
    }
}

impl HeatmapId {
    /// The whole score, decomposed by the components of the key.
    pub const KEY: Self = Self::Ours(HeatmapParts::of(Side::Key));
    /// The whole score, decomposed by the components of the query.
    pub const QUERY: Self = Self::Ours(HeatmapParts::of(Side::Query));

    /// The parts of a known name; None for an unknown one.
    pub const fn parts(&self) -> Option<&HeatmapParts> {
        match self {
            Self::Ours(parts) => Some(parts),
            Self::Other(_) => None,
        }
    }

    /// The side whose components it has. An unknown name counts as the query's if it begins with "query".
    pub fn side(&self) -> Side {
        match self {
            Self::Ours(parts) => parts.side,
            Self::Other(name) if name.as_str().starts_with(Side::Query.as_str()) => Side::Query,
            Self::Other(_) => Side::Key,
        }
    }

    /// The key in a result file and, for a facet, the key within it: "key_split" and "q par k par".
    pub fn group_and_facet(&self) -> (String, Option<String>) {
        match self {
            Self::Ours(parts) => (parts.group(), parts.facet().map(|facet| facet.to_string())),
            Self::Other(name) => {
                let (group, facet) = split_facet(name.as_str());
                (group.to_owned(), facet.map(str::to_owned))
            }
        }
    }

    /// Whether it is a facet of a split heatmap.
    pub fn is_facet(&self) -> bool {
        self.group_and_facet().1.is_some()
    }

    /// The facet `facet` of the heatmap with the key `group` in a result file.
    pub fn of_facet(group: &str, facet: &str) -> Self {
        Self::from(format!("{group}{FACET}{facet}"))
    }

    /// Whether `group` can have facets: it must not contain the separator.
    pub fn is_group(group: &str) -> bool {
        !group.contains(FACET)
    }

    /// The description: "Key side, query from W_U\[IO\], minus END→S1". An unknown name is its own description.
    pub fn words(&self) -> String {
        let Some(parts) = self.parts() else {
            return self.to_string();
        };
        let mut words = match parts.side {
            Side::Query => "Query side",
            Side::Key => "Key side",
        }
        .to_owned();
        match parts.variant {
            HeatmapVariant::FromWu => words += ", query from W_U[IO]",
            HeatmapVariant::FromMlp0 => words += ", key from MLP 0",
            HeatmapVariant::Whole | HeatmapVariant::Split | HeatmapVariant::Facet(_) => {}
        }
        if parts.minus_s1 {
            words += ", minus END\u{2192}S1";
        }
        if let Some(seed) = parts.seed {
            words += &format!(", seed {seed}");
        }
        match parts.variant {
            HeatmapVariant::Facet(Facet { query, key }) => {
                words += &format!(", q {} W_U[IO], k {} MLP 0", query.sign(), key.sign());
            }
            HeatmapVariant::Split => words += ", split",
            HeatmapVariant::Whole | HeatmapVariant::FromWu | HeatmapVariant::FromMlp0 => {}
        }
        words
    }

    /// The description in titles of pictures: "key side, minus END→S1".
    pub fn in_title(&self) -> String {
        let words = self.words();
        match self.parts() {
            Some(_) => words.replacen(['K', 'Q'], &words[..1].to_lowercase(), 1),
            None => words,
        }
    }

    /// The place in the display order: by group, then by name.
    fn place(&self) -> (Option<usize>, String) {
        let text = self.to_string();
        let place = match self {
            Self::Ours(parts) => parts.place(),
            // A facet of an unknown name is placed with its group.
            Self::Other(_) => HeatmapParts::read(split_facet(&text).0).and_then(|group| group.place()),
        };
        (place, text)
    }
}

impl From<&str> for HeatmapId {
    fn from(text: &str) -> Self {
        HeatmapParts::read(text).map_or_else(|| Self::Other(UnknownName::new(text)), Self::Ours)
    }
}

impl From<String> for HeatmapId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<HeatmapParts> for HeatmapId {
    fn from(parts: HeatmapParts) -> Self {
        Self::Ours(parts)
    }
}

impl From<HeatmapId> for String {
    fn from(heatmap: HeatmapId) -> Self {
        heatmap.to_string()
    }
}

impl fmt::Display for HeatmapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(parts) => parts.fmt(f),
            Self::Other(name) => name.fmt(f),
        }
    }
}

impl Ord for HeatmapId {
    // A function of its own, so that it is compiled only once into the page's wasm.
    #[inline(never)]
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |heatmap: &Self| {
            let (place, text) = heatmap.place();
            (place.is_none(), place, text)
        };
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for HeatmapId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
#[path = "heatmap_tests.rs"]
mod tests;
