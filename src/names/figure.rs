//! What figures of a result are called, and their places on the page.

use std::fmt;

use super::HistogramId;

/// The name of a figure's place on the page, in ids and in the addresses of embedded figures: `keys_fixed_scores`, `heatmap`.
///
/// A kind of figure that has no other name gives its own where it is defined (`figure`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FigureName(&'static str);

impl FigureName {
    /// Of whichever heatmap is chosen.
    pub const HEATMAP: Self = Self("heatmap");

    /// Of the map of recorded effects of heads.
    pub const HEAD_EFFECTS: Self = Self("head_effects");

    /// Of a kind of figure that is called `name`: letters, digits and underscores.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Of the histogram `id`.
    pub const fn of(id: HistogramId) -> Self {
        Self(id.as_str())
    }

    /// Its text form.
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

    /// Whether `name` means this figure.
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
