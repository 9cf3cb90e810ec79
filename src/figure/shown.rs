//! Views for single figures without a page: of the command line and of notebooks.

use super::view::View;
use crate::names::{HistogramId, SeriesId};
use crate::plot::{HistogramView, SeriesOrder, series_starts_visible};

/// How figures are shown. As the page shows them at first, unless something is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shown {
    /// Most bins of a histogram.
    pub bins: Option<usize>,
    /// Whether a histogram's axis of counts is logarithmic.
    pub log: bool,
    /// Range of values that a histogram shows; None for all.
    pub zoom: Option<(f64, f64)>,
    /// Order of a histogram's series.
    pub order: SeriesOrder,
    /// Series that are shown, also where they are hidden at first.
    pub show: Vec<SeriesId>,
    /// Series that are hidden.
    pub hide: Vec<SeriesId>,
    /// The prompt that is picked, counted from 1.
    pub prompt: Option<usize>,
    /// Whether the column b_O is left out of heatmaps, as in the notebook.
    pub as_in_notebook: bool,
}

impl Shown {
    /// The same as the view of a page. What is said of histograms holds for all of them.
    pub fn view(&self) -> View {
        let shown = self.show.iter().filter(|series| !series_starts_visible(series));
        let hidden = self.hide.iter().filter(|series| series_starts_visible(series));
        let histogram = HistogramView {
            toggled: shown.chain(hidden).cloned().collect(),
            max_bins: self.bins,
            log_counts: self.log,
            zoom: self.zoom,
            order: self.order,
            split: None,
        };
        let mut view = View {
            prompt: self.prompt.map(|prompt| prompt.saturating_sub(1)),
            ..View::default()
        };
        for name in HistogramId::ALL {
            view.update_histogram(name, |shown| shown.clone_from(&histogram));
        }
        view.heatmap.as_in_notebook = self.as_in_notebook;
        view
    }
}
