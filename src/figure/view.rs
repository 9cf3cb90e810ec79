//! The view: how the reader has set up the figures, independent of the run. Plain data that a link can hold.

use std::collections::BTreeMap;

use super::scatter::ScatterView;
use super::sentence::SentenceView;
use crate::names::HistogramId;
use crate::plot::{HeatmapView, HistogramView};

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appearance {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Appearance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its value in the query.
    pub const fn value(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How the figures and the page are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// The histograms that are not shown as at first.
    pub histograms: BTreeMap<HistogramId, HistogramView>,
    /// The heatmap.
    pub heatmap: HeatmapView,
    /// The scatter of two series and the list of prompts.
    pub scatter: ScatterView,
    /// The figures of a sentence.
    pub sentence: SentenceView,
    /// Light or dark.
    pub appearance: Appearance,
    /// Whether the explanations between the figures are hidden.
    pub text_hidden: bool,
    /// The prompt that is picked, by its number in the result: its values are marked in every figure.
    pub prompt: Option<usize>,
}

impl View {
    /// How the histogram `name` is shown.
    pub fn histogram(&self, name: HistogramId) -> HistogramView {
        self.histograms.get(&name).cloned().unwrap_or_default()
    }

    /// Changes how the histogram `name` is shown.
    pub fn update_histogram(&mut self, name: HistogramId, change: impl FnOnce(&mut HistogramView)) {
        let view = self.histograms.entry(name).or_default();
        change(view);
        if *view == HistogramView::default() {
            self.histograms.remove(&name);
        }
    }
}
