//! Overlaid histograms with a box per series above.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::labels::{is_extra, series_note, series_starts_visible, true_label};
use super::theme::SERIES_COLORS;
use crate::gpt2::Head;
use crate::result::{Bins, BoxStats, HistogramName, ResultFile, mean};

/// One series of a [`HistogramPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Legend entry.
    pub label: String,
    /// Tooltip: what the vector is. May be empty.
    pub note: String,
    /// Colour of bars, box and legend entry.
    pub color: RGBColor,
    /// Whether it is drawn; the legend shows it dimmed when not.
    pub visible: bool,
    /// Values per bin of [`HistogramPlot::bins`].
    pub counts: Vec<usize>,
    /// The box. None when there are no values.
    pub stats: Option<BoxStats>,
}

/// Overlaid translucent histograms that share bins, and above them a box per series.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramPlot {
    /// Title.
    pub title: String,
    /// Title of the axis of values.
    pub x_label: String,
    /// Title of the axis of counts.
    pub y_label: String,
    /// Title of the legend.
    pub legend_title: String,
    /// The bins. None when there are no values.
    pub bins: Option<Bins>,
    /// The series, by ascending mean: drawn in this order, boxes from the bottom up.
    pub series: Vec<Series>,
}

impl HistogramPlot {
    /// The histogram `name` of `result`, with the true values as one more series where there are any.
    pub fn of_result(result: &ResultFile, name: HistogramName) -> Self {
        let series = &result.histograms.get(name).series;
        Self::new(name, result.head, series, result.histograms.true_values(name))
    }

    /// The histogram `name` of `head` from `series` (label to values), which may still be filling in.
    ///
    /// `true_values` (may be empty) become one more series. Bins span all series, also those hidden:
    /// showing or hiding one never moves the bins. Colours follow the order of means, the notebook's
    /// series first, so that a live run has the colours of the recorded one.
    pub fn new(name: HistogramName, head: Head, series: &BTreeMap<String, Vec<f32>>, true_values: &[f32]) -> Self {
        let truth = (!true_values.is_empty()).then(|| (true_label(name), true_values));
        let labelled = series.iter().map(|(label, values)| (label.as_str(), values.as_slice()));
        let mut all: Vec<(&str, &[f32])> = labelled.chain(truth).collect();
        all.sort_by(|left, right| order(left.1).total_cmp(&order(right.1)));
        let bins = Bins::of(
            all.iter().map(|(_, values)| *values),
            if name.probs() { 100 } else { 120 },
        );
        let of_notebook = all.iter().filter(|(label, _)| !is_extra(label));
        let extra = all.iter().filter(|(label, _)| is_extra(label));
        let colors: BTreeMap<&str, RGBColor> = of_notebook
            .chain(extra)
            .map(|(label, _)| *label)
            .zip(SERIES_COLORS.into_iter().cycle())
            .collect();
        let series = all.iter().map(|(label, values)| Series {
            label: (*label).to_owned(),
            note: series_note(label).to_owned(),
            color: colors[label],
            visible: series_starts_visible(label),
            counts: bins.map(|bins| bins.counts(values)).unwrap_or_default(),
            stats: BoxStats::of(values),
        });
        Self {
            title: title(name, head),
            x_label: if name.probs() {
                "Attention probability"
            } else {
                "Attention score"
            }
            .to_owned(),
            y_label: "count".to_owned(),
            legend_title: if name.keys_fixed() {
                "Query-side vector"
            } else {
                "Key-side vector"
            }
            .to_owned(),
            bins,
            series: series.collect(),
        }
    }
}

/// What series are ordered by: their mean, those without values first.
fn order(values: &[f32]) -> f64 {
    mean(values).unwrap_or(f64::NEG_INFINITY)
}

/// The notebook's title; its plots with queries fixed say "keys fixed" by mistake.
fn title(name: HistogramName, head: Head) -> String {
    let what = if name.probs() { "probs" } else { "scores" };
    let side = if name.keys_fixed() {
        "keys fixed: scores are a linear function of queries"
    } else {
        "queries fixed: scores are a linear function of keys"
    };
    format!("Attn {what} (from END -> IO) in {head} ({side})")
}
