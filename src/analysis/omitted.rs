//! Series and heatmaps that are omitted from a result, because some of their values are not finite.

use serde::{Deserialize, Serialize};

use crate::names::{HeatmapId, SeriesId, Side};

/// Why values are not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OmissionReason {
    /// The substituted vector, or the vector along which ends are split, is constant (such as 0): after the mean is
    /// subtracted, no direction is left.
    Constant,
    /// A number overflowed single precision.
    Overflow,
}

/// An omitted series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedSeries {
    /// The side whose vector would be substituted; None for the head's true values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Which series.
    pub series: SeriesId,
    /// Number of prompts in which it is not finite.
    pub prompts: usize,
    /// The reason in the first of them.
    pub why: OmissionReason,
}

/// An omitted heatmap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedHeatmap {
    /// Which heatmap.
    pub heatmap: HeatmapId,
    /// Number of prompts in which it is not finite.
    pub prompts: usize,
    /// The reason in the first of them.
    pub why: OmissionReason,
}

impl OmittedSeries {
    /// Adds `new` to `all`; numbers of prompts of the same series are added up.
    pub(crate) fn add(all: &mut Vec<Self>, new: Self) {
        let same = |known: &&mut Self| (known.side, &known.series) == (new.side, &new.series);
        match all.iter_mut().find(same) {
            Some(known) => known.prompts += new.prompts,
            None => all.push(new),
        }
    }
}
