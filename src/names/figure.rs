//! Names of figures, and of their places on the page.

use std::fmt;

use super::HistogramId;

/// The name of a figure's place on the page, in ids and in the URLs of embedded figures: `keys_fixed_scores`,
/// `heatmap`.
///
/// Other kinds of figures define their names in the module `figure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FigureName(&'static str);

impl FigureName {
    /// The place of the selected heatmap.
    pub const HEATMAP: Self = Self("heatmap");

    /// The place of the map of recorded effects of heads.
    pub const HEAD_EFFECTS: Self = Self("head_effects");

    /// For a kind of figure called `name` (letters, digits and underscores).
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// For the histogram `id`.
    pub const fn of(id: HistogramId) -> Self {
        Self(id.as_str())
    }

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for FigureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// A figure of a result: `keys_fixed_scores`, `heatmap_key`.
///
/// Where a place shows one of several, each is called by its own name, too:
///
/// ```
/// use keyside::names::{FigureId, FigureName};
///
/// let figure = FigureId::one_of(FigureName::HEATMAP, "key_subS1");
/// assert_eq!(figure.to_string(), "heatmap_key_subS1");
/// assert!(figure.is_called("heatmap_key_subS1") && figure.is_called("key_subS1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FigureId {
    place: FigureName,
    one: Option<String>,
}

impl FigureId {
    /// The only figure at `place`.
    pub const fn only(place: FigureName) -> Self {
        Self { place, one: None }
    }

    /// The figure `one` of those that `place` can show.
    pub fn one_of(place: FigureName, one: impl Into<String>) -> Self {
        let one = Some(one.into());
        Self { place, one }
    }

    /// Whether `name` is this figure's name.
    pub fn is_called(&self, name: &str) -> bool {
        self.one.as_deref() == Some(name) || self.to_string() == name
    }
}

impl fmt::Display for FigureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.one {
            Some(one) => f.pad(&format!("{}_{one}", self.place)),
            None => self.place.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_called_as_it_is_written() {
        let heatmaps = ["key", "query_split/q par k perp", "of another program", ""];
        let heatmaps = heatmaps.map(|name| FigureId::one_of(FigureName::HEATMAP, name));
        let histograms = HistogramId::ALL.map(|id| FigureId::only(FigureName::of(id)));
        for figure in histograms.into_iter().chain(heatmaps) {
            assert!(figure.is_called(&figure.to_string()), "{figure}");
            assert!(
                !figure.is_called("heatmap") && !figure.is_called("heatmap_query"),
                "{figure}"
            );
        }
    }
}
