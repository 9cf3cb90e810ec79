//! The figures of a result, and their places on the page.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{HeatmapId, HistogramId};
use crate::error::{Error, ErrorKind, Result};

/// What the names of heatmaps' figures begin with.
const PREFIX: &str = "heatmap_";

/// A figure of a result: `keys_fixed_scores`, `heatmap_key`.
///
/// A heatmap's figure is read by the heatmap's own name, too:
///
/// ```
/// use keyside::names::{FigureId, HeatmapId};
///
/// assert_eq!(FigureId::from("key_subS1"), FigureId::from("heatmap_key_subS1"));
/// assert_eq!(FigureId::from("heatmap_key"), FigureId::Heatmap(HeatmapId::KEY));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FigureId {
    /// A histogram.
    Histogram(HistogramId),
    /// A heatmap.
    Heatmap(HeatmapId),
}

impl From<&str> for FigureId {
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(histogram) => Self::Histogram(histogram),
            Err(_) => Self::Heatmap(text.strip_prefix(PREFIX).unwrap_or(text).into()),
        }
    }
}

impl From<String> for FigureId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<FigureId> for String {
    fn from(figure: FigureId) -> Self {
        figure.to_string()
    }
}

impl fmt::Display for FigureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Histogram(histogram) => histogram.fmt(f),
            Self::Heatmap(heatmap) => f.pad(&format!("{PREFIX}{heatmap}")),
        }
    }
}

/// A figure's place on the page: a histogram's, or the one of whichever heatmap is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FigurePlace {
    /// A histogram's: `keys_fixed_scores`, ...
    Histogram(HistogramId),
    /// The heatmap's: `heatmap`.
    Heatmap,
}

impl FigurePlace {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = {
        let [first, second, third, fourth] = HistogramId::ALL;
        [
            Self::Histogram(first),
            Self::Histogram(second),
            Self::Histogram(third),
            Self::Histogram(fourth),
            Self::Heatmap,
        ]
    };

    /// Its text form, in ids and in the addresses of embedded figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Histogram(histogram) => histogram.as_str(),
            Self::Heatmap => "heatmap",
        }
    }
}

impl fmt::Display for FigurePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FigurePlace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|place| place.as_str() == text);
        found.ok_or_else(|| {
            let [histograms @ .., heatmap] = Self::ALL.map(Self::as_str);
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a figure"))
                .expected(format!("{heatmap}, {}", histograms.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_as_it_is_written() {
        let heatmaps = ["key", "query_split/q par k perp", "of another program", ""].map(HeatmapId::from);
        let histograms = HistogramId::ALL.map(FigureId::Histogram);
        for figure in histograms.into_iter().chain(heatmaps.map(FigureId::Heatmap)) {
            assert_eq!(FigureId::from(figure.to_string()), figure);
            let json = serde_json::to_string(&figure).expect("is written");
            assert_eq!(serde_json::from_str::<FigureId>(&json).expect("is read"), figure);
        }
        assert_eq!(FigureId::from("heatmap_key").to_string(), "heatmap_key");
        assert_eq!(FigureId::from("key").to_string(), "heatmap_key");
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for place in FigurePlace::ALL {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "heatmap_key", "key", "keys_fixed_scores "] {
            let error = text.parse::<FigurePlace>().expect_err(text);
            assert!(error.expected.starts_with("heatmap, keys_fixed_scores, "), "{error}");
        }
    }
}
