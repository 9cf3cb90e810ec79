//! A figure of a result, and how it is shown.

use crate::error::{Error, ErrorKind, Result};
use crate::names::{FigureId, HistogramId};
use crate::plot::{HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Plot};
use crate::result::ResultFile;

/// A figure, how it is shown, and the prompt that is picked, by its number in the result.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// A histogram, with the values of the picked prompt marked.
    Histogram(HistogramId, HistogramView, Option<usize>),
    /// A heatmap: of the picked prompt, where its cells are known, else of the mean.
    Heatmap(HeatmapView, Option<usize>),
}

impl Figure {
    /// All figures of `result` as they are shown at first: the histograms that have series, the heatmaps.
    pub fn all(result: &ResultFile) -> Vec<Self> {
        let histograms = HistogramId::ALL.into_iter();
        let heatmaps = result.heatmap_names().into_iter().map(|name| {
            let view = HeatmapView {
                name,
                ..HeatmapView::default()
            };
            Self::Heatmap(view, None)
        });
        histograms
            .map(|name| Self::Histogram(name, HistogramView::default(), None))
            .chain(heatmaps)
            .filter(|figure| figure.is_in(result))
            .collect()
    }

    /// The figure `name` of `result`: as [`Figure::id`] says it, or a heatmap's name alone.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] with the names that there are.
    pub fn named(result: &ResultFile, name: &str) -> Result<Self> {
        let all = Self::all(result);
        let names: Vec<String> = all.iter().map(|figure| figure.id().to_string()).collect();
        let id = FigureId::from(name);
        let found = all.into_iter().find(|figure| figure.id() == id);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Plot, format!("the result has no figure \"{name}\"")).expected(names.join(", "))
        })
    }

    /// Which one it is.
    pub fn id(&self) -> FigureId {
        match self {
            Self::Histogram(name, ..) => FigureId::Histogram(*name),
            Self::Heatmap(view, _) => FigureId::Heatmap(view.name.clone()),
        }
    }

    /// Whether `result` has it.
    pub fn is_in(&self, result: &ResultFile) -> bool {
        match self {
            Self::Histogram(name, ..) => !result.series(*name).is_empty(),
            Self::Heatmap(view, _) => result.heatmap(&view.name).is_some(),
        }
    }

    /// Its name as part of a file's name.
    pub fn stem(&self) -> String {
        plain(&self.id().to_string(), |c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
        })
    }

    /// What there is to draw.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn plot(&self, result: &ResultFile) -> Result<Plot> {
        Ok(match self {
            Self::Histogram(name, view, prompt) => {
                let plot = HistogramPlot::of_result(result, *name, view);
                Plot::from(plot.with_prompt(result, *name, *prompt))
            }
            Self::Heatmap(view, prompt) => Plot::from(HeatmapPlot::of_result(result, view, *prompt)?),
        })
    }

    /// The same figure, not zoomed.
    pub(super) fn whole(&self) -> Self {
        let mut whole = self.clone();
        match &mut whole {
            Self::Histogram(_, view, _) => view.zoom = None,
            Self::Heatmap(view, _) => view.zoom = None,
        }
        whole
    }
}

/// What the names of a result's files begin with: `keyside-gpt-2-small-10.7`.
pub fn result_stem(result: &ResultFile) -> String {
    let model = plain(&result.model.name.to_ascii_lowercase(), |c| {
        c.is_ascii_alphanumeric() || c == '.'
    });
    format!(
        "keyside-{model}-{}",
        plain(&result.head_name(), |c| c.is_ascii_digit() || c == '.')
    )
}

/// `text` with a hyphen in place of every run of characters that are not `allowed`.
fn plain(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let words = text.split(|c: char| !allowed(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
