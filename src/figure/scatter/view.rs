//! The view of the scatter plot and of the list of prompts, as plain data that a link can hold.

use crate::names::{PromptSeries, SplitBy};

/// How the scatter of two series and the list of its prompts are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScatterView {
    /// The series along the axis below; None for the one that the run's claim is about.
    pub x: Option<PromptSeries>,
    /// The series along the axis to the left; None for the residual stream itself.
    pub y: Option<PromptSeries>,
    /// The list.
    pub list: ListView,
}

/// In which order prompts are listed, and which of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListView {
    /// The series that they are sorted by; None for their numbers.
    pub sort: Option<PromptSeries>,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// What their texts contain, in capitals or not; empty for any.
    pub text: String,
    /// The series that `least` and `most` are about; None for the one along the axis below.
    pub bounded_series: Option<PromptSeries>,
    /// The least value of those that are listed.
    pub least: Option<f64>,
    /// The greatest value of those that are listed.
    pub most: Option<f64>,
    /// The kind of those that are listed: what prompts are split by, and the number of the kind in [`crate::result::ResultFile::split`].
    pub group: Option<(SplitBy, usize)>,
}

impl ListView {
    /// Whether any prompt may be left out.
    pub fn filters(&self) -> bool {
        !self.text.trim().is_empty() || self.least.is_some() || self.most.is_some() || self.group.is_some()
    }

    /// The same order of all prompts.
    pub fn unfiltered(&self) -> Self {
        Self {
            sort: self.sort.clone(),
            descending: self.descending,
            ..Self::default()
        }
    }
}
