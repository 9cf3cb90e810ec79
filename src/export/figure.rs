//! A figure of a result, and how it is shown.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;

use crate::error::{Error, ErrorKind, Result};
use crate::plot::{
    DrawOptions, HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, SVG_SIZE, Theme, heatmap_svg, histogram_svg,
};
use crate::result::{HistogramName, ResultFile};

/// What the names of heatmaps' figures begin with.
const HEATMAP: &str = "heatmap_";

/// A figure, and how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// A histogram.
    Histogram(HistogramName, HistogramView),
    /// A heatmap.
    Heatmap(HeatmapView),
}

/// What there is to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// Histograms with boxes.
    Histogram(HistogramPlot),
    /// Contributions of components.
    Heatmap(HeatmapPlot),
}

impl Drawing {
    /// Draws over the whole of `area`, which is in device pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the backend fails.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, options: &DrawOptions) -> Result<()> {
        match self {
            Self::Histogram(plot) => plot.draw(area, options),
            Self::Heatmap(plot) => plot.draw(area, options),
        }
    }

    /// Width and height of an exported picture, in CSS pixels: larger where a model has many layers and heads, so that the cells
    /// can be read.
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Histogram(_) => SVG_SIZE,
            Self::Heatmap(plot) => {
                let pixels = |count: usize, each: u32, around: u32| around + each * count.min(1000) as u32;
                let (width, height) = (pixels(plot.columns.len(), 40, 190), pixels(plot.rows.len(), 36, 130));
                (SVG_SIZE.0.max(width), SVG_SIZE.1.max(height))
            }
        }
    }

    /// As SVG text of `size` (width and height in CSS pixels).
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when drawing fails.
    pub fn svg(&self, size: (u32, u32), theme: &Theme) -> Result<String> {
        match self {
            Self::Histogram(plot) => histogram_svg(plot, size, theme),
            Self::Heatmap(plot) => heatmap_svg(plot, size, theme),
        }
    }
}

impl Figure {
    /// All figures of `result` as they are shown at first: the histograms that have series, the heatmaps.
    pub fn all(result: &ResultFile) -> Vec<Self> {
        let histograms = HistogramName::all().into_iter();
        let heatmaps = result.heatmap_names().into_iter().map(|name| {
            Self::Heatmap(HeatmapView {
                name,
                ..HeatmapView::default()
            })
        });
        histograms
            .map(|name| Self::Histogram(name, HistogramView::default()))
            .chain(heatmaps)
            .filter(|figure| figure.is_in(result))
            .collect()
    }

    /// The figure `name` of `result`: as [`Figure::name`] says it, or a heatmap's name alone.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] with the names that there are.
    pub fn named(result: &ResultFile, name: &str) -> Result<Self> {
        let all = Self::all(result);
        let names: Vec<String> = all.iter().map(Self::name).collect();
        let found = all
            .into_iter()
            .find(|figure| [figure.name(), figure.short_name()].iter().any(|known| known == name));
        found.ok_or_else(|| {
            Error::new(ErrorKind::Plot, format!("the result has no figure \"{name}\"")).expected(names.join(", "))
        })
    }

    /// Its name: `keys_fixed_scores`, `heatmap_key`.
    pub fn name(&self) -> String {
        match self {
            Self::Histogram(name, _) => name.to_string(),
            Self::Heatmap(view) => format!("{HEATMAP}{}", view.name),
        }
    }

    /// Whether `result` has it.
    pub fn is_in(&self, result: &ResultFile) -> bool {
        match self {
            Self::Histogram(name, _) => !result.histograms.get(*name).series.is_empty(),
            Self::Heatmap(view) => result.heatmap(&view.name).is_some(),
        }
    }

    fn short_name(&self) -> String {
        match self {
            Self::Histogram(name, _) => name.to_string(),
            Self::Heatmap(view) => view.name.clone(),
        }
    }

    /// Its name as part of a file's name.
    pub fn stem(&self) -> String {
        plain(&self.name(), |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
    }

    /// What there is to draw.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn drawing(&self, result: &ResultFile) -> Result<Drawing> {
        Ok(match self {
            Self::Histogram(name, view) => Drawing::Histogram(HistogramPlot::of_result(result, *name, view)),
            Self::Heatmap(view) => Drawing::Heatmap(HeatmapPlot::of_result(result, view, None)?),
        })
    }

    /// The same figure, not zoomed.
    pub(super) fn whole(&self) -> Self {
        let mut whole = self.clone();
        match &mut whole {
            Self::Histogram(_, view) => view.zoom = None,
            Self::Heatmap(view) => view.zoom = None,
        }
        whole
    }
}

/// What the names of a result's files begin with: `keyside-gpt-2-small-10.7`.
pub fn result_stem(result: &ResultFile) -> String {
    let model = plain(&result.model.name.to_ascii_lowercase(), |c| {
        c.is_ascii_alphanumeric() || c == '.'
    });
    format!("keyside-{model}-{}", result.head)
}

/// `text` with a hyphen in place of every run of characters that are not `allowed`.
fn plain(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let words = text.split(|c: char| !allowed(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
