//! Overlaid histograms, with a box plot per series above.

use super::labels::series_note;
use super::palette::colors;
use super::text::visible;
use super::{HistogramView, SeriesOrder};
use crate::names::{Head, HistogramId, SeriesId};
use crate::result::{Bins, BoxStats, ResultFile};

/// Most bins that a reader can ask for.
pub const MAX_BINS: usize = 1000;

/// Room on either side of a bin that is the only one, as a part of it.
const SPARE_OF_ONE: f64 = 8.0;

/// One series of a [`HistogramPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which one.
    pub id: SeriesId,
    /// Legend entry.
    pub label: String,
    /// Tooltip: what the vector is. May be empty.
    pub note: String,
    /// Number of its color; see [`crate::plot::Theme::series_color`].
    pub color: usize,
    /// Whether it is drawn; the legend shows it dimmed when not.
    pub visible: bool,
    /// Values per bin of [`HistogramPlot::bins`].
    pub counts: Vec<usize>,
    /// The box. None when there are no values.
    pub stats: Option<BoxStats>,
    /// The value of the prompt that is picked, which is marked.
    pub mark: Option<f64>,
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
    /// Whether the axis of counts is logarithmic.
    pub log_counts: bool,
    /// The range of values that is shown; None for all. Always within [`HistogramPlot::full_range`].
    pub zoom: Option<(f64, f64)>,
    /// The series in the order chosen: drawn in this order, boxes from the bottom up.
    pub series: Vec<Series>,
}

impl HistogramPlot {
    /// The histogram `name` of `result`, shown as `view` says, with the true values as one more series
    /// where there are any.
    pub fn of_result(result: &ResultFile, name: HistogramId, view: &HistogramView) -> Self {
        // Where there are series there is a head.
        let head = result.head().unwrap_or(Head::new(0, 0));
        let plot = Self::new(name, head, result.series(name), result.true_values(name), view);
        Self {
            title: result.with_position_names(plot.title),
            ..plot
        }
    }

    /// The histogram `name` of `head` from `series` (which, and its values), which may still be filling in.
    ///
    /// `true_values` (may be empty) become one more series. Bins span all series, also those hidden:
    /// showing or hiding one never moves the bins.
    pub fn new<'a>(
        name: HistogramId,
        head: Head,
        series: impl IntoIterator<Item = (&'a SeriesId, &'a [f32])>,
        true_values: &'a [f32],
        view: &HistogramView,
    ) -> Self {
        let given = series.into_iter().map(|(id, values)| (id.clone(), values));
        let truth = (!true_values.is_empty()).then(|| (name.true_values(), true_values));
        let all: Vec<(SeriesId, &[f32])> = given.chain(truth).collect();
        let usual = if name.probs() { 100 } else { 120 };
        let bins = Bins::of(
            all.iter().map(|(_, values)| *values),
            view.max_bins.unwrap_or(usual).clamp(1, MAX_BINS),
        );
        let colors = colors(all.iter().map(|(id, _)| id));
        let one = |((id, values), color): (&(SeriesId, &[f32]), usize)| Series {
            id: id.clone(),
            label: visible(&id.label()),
            note: series_note(id).to_owned(),
            color,
            visible: true,
            counts: bins.map(|bins| bins.counts(values)).unwrap_or_default(),
            stats: BoxStats::of(values),
            mark: None,
        };
        let series = all.iter().zip(colors).map(one).collect();
        let plot = Self {
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
            log_counts: false,
            zoom: None,
            series,
        };
        plot.seen(view)
    }

    /// The same plot as `view` shows it: which series, in which order, on which axes. Its bins stay as they are.
    pub fn seen(mut self, view: &HistogramView) -> Self {
        for series in &mut self.series {
            series.visible = view.shows(&series.id);
        }
        sort(&mut self.series, view.order);
        self.log_counts = view.log_counts;
        self.zoom = view.zoom.and_then(|zoom| self.within(zoom));
        self
    }

    /// The same plot with the values of prompt `prompt` of `result` marked; nothing is marked when there is none.
    pub fn with_prompt(mut self, result: &ResultFile, name: HistogramId, prompt: Option<usize>) -> Self {
        for series in &mut self.series {
            let values = result.values(name, &series.id);
            let value = prompt.and_then(|prompt| values.get(prompt)).copied();
            series.mark = value.map(f64::from).filter(|value| value.is_finite());
        }
        self
    }

    /// All values with 5 % to spare on either side, hidden series included: toggling moves nothing. A bin that is the only one
    /// has more beside it, so that it is a bar and not the whole picture.
    pub fn full_range(&self) -> (f64, f64) {
        let (low, high) = self.bins.map_or((0.0, 1.0), |bins| (bins.start, bins.end()));
        let alone = self.bins.is_some_and(|bins| bins.count == 1);
        let spare = (high - low) * if alone { SPARE_OF_ONE } else { 0.05 };
        (low - spare, high + spare)
    }

    /// The largest value that a bin may hold, in size: how values are written depends on it.
    pub(super) fn largest(&self) -> f64 {
        self.bins.map_or(1.0, |bins| bins.start.abs().max(bins.end().abs()))
    }

    /// The range of values that is shown.
    pub fn range(&self) -> (f64, f64) {
        self.zoom.unwrap_or_else(|| self.full_range())
    }

    /// `zoom` as far as it lies within the data, and not smaller than a bin. None for all: also when there is
    /// nothing to be seen in it, or it is no range.
    pub fn within(&self, zoom: (f64, f64)) -> Option<(f64, f64)> {
        let (low, high) = self.full_range();
        let bin = self.bins?.size;
        let (from, to) = (zoom.0.max(low), zoom.1.min(high));
        if !(zoom.0.is_finite() && zoom.1.is_finite() && from < to) {
            return None;
        }
        let middle = (from + to) / 2.0;
        let (from, to) = if to - from < bin {
            (middle - bin / 2.0, middle + bin / 2.0)
        } else {
            (from, to)
        };
        let (from, to) = (from.max(low), to.min(high));
        (from < to && (from > low || to < high)).then_some((from, to))
    }

    /// The visible series in the order of drawing.
    pub(super) fn visible(&self) -> impl DoubleEndedIterator<Item = &Series> + Clone {
        self.series.iter().filter(|series| series.visible)
    }

    /// The visible series that is `id` here or in another figure.
    pub(super) fn shown_series(&self, id: &SeriesId) -> Option<&Series> {
        self.visible().find(|series| series.id.is_same_as(id))
    }

    /// Largest count of a visible series in a bin that is shown; 0 when there is none.
    pub(super) fn largest_shown_count(&self) -> usize {
        self.visible()
            .map(|series| self.largest_count_of(series))
            .max()
            .unwrap_or(0)
    }

    /// Largest count of `series` in a bin that is shown.
    pub(super) fn largest_count_of(&self, series: &Series) -> usize {
        let Some(bins) = self.bins else { return 0 };
        let (low, high) = self.range();
        let shown = |index: &usize| {
            let (from, to) = bins.edges(*index);
            to > low && from < high
        };
        let counts = (0..bins.count)
            .filter(shown)
            .filter_map(|index| series.counts.get(index));
        counts.copied().max().unwrap_or(0)
    }
}

/// Ascending by what `order` says, those without values first; by label where that is equal.
fn sort(series: &mut [Series], order: SeriesOrder) {
    let number = |series: &Series| {
        let stats = series.stats.as_ref();
        stats.map_or(f64::NEG_INFINITY, |stats| match order {
            SeriesOrder::Mean => stats.mean,
            SeriesOrder::Median => stats.median,
            SeriesOrder::Label => 0.0,
        })
    };
    series.sort_by(|left, right| match order {
        // The legend is read from the top down.
        SeriesOrder::Label => left.label.cmp(&right.label),
        _ => number(left)
            .total_cmp(&number(right))
            .then_with(|| left.id.is_not_in_notebook().cmp(&right.id.is_not_in_notebook()))
            .then_with(|| left.label.cmp(&right.label)),
    });
}

/// The notebook's title; its plots with queries fixed say "keys fixed" by mistake.
fn title(name: HistogramId, head: Head) -> String {
    let what = if name.probs() { "probs" } else { "scores" };
    let side = if name.keys_fixed() {
        "keys fixed: scores are a linear function of queries"
    } else {
        "queries fixed: scores are a linear function of keys"
    };
    format!("Attn {what} (from END -> IO) in {head} ({side})")
}
