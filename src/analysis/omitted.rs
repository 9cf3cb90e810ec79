//! What was left out of a result because it is no number.

use serde::{Deserialize, Serialize};

use crate::names::{HeatmapId, SeriesId, Side};

/// Why numbers were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OmissionReason {
    /// The vector that is put in place of another, or that ends are split along, is the same number everywhere, such as 0:
    /// without its mean nothing is left that has a direction.
    Constant,
    /// A number was too large for single precision on the way.
    Overflow,
}

/// A series that a result does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedSeries {
    /// The side whose vector would be substituted; None for the head's true values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Which series.
    pub series: SeriesId,
    /// In how many prompts it is no number.
    pub prompts: usize,
    /// Why, in the first of them.
    pub why: OmissionReason,
}

/// A heatmap that a result does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedHeatmap {
    /// Which heatmap.
    pub heatmap: HeatmapId,
    /// In how many prompts it is no number.
    pub prompts: usize,
    /// Why, in the first of them.
    pub why: OmissionReason,
}

impl OmittedSeries {
    /// Adds `new` to `all`: prompts of the same series add up.
    pub(crate) fn add(all: &mut Vec<Self>, new: Self) {
        let same = |known: &&mut Self| (known.side, &known.series) == (new.side, &new.series);
        match all.iter_mut().find(same) {
            Some(known) => known.prompts += new.prompts,
            None => all.push(new),
        }
    }
}
