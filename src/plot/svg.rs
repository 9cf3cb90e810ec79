//! Plots as SVG files.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::prelude::SVGBackend;

use super::{DrawOptions, HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Plot, Theme};
use crate::error::Result;
use crate::result::{HistogramName, ResultFile};

/// Width and height of exported plots, in CSS pixels.
pub const SVG_SIZE: (u32, u32) = (1000, 600);

/// Units per pixel: plotters' coordinates are whole numbers, and a bar's edge should be where it belongs.
const UNITS: u32 = 8;

/// All plots of `result` as (file name, SVG text): the histograms that have series, the heatmaps.
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when drawing fails.
pub fn svg_files(result: &ResultFile, theme: &Theme) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for name in HistogramName::all() {
        if !result.histograms.get(name).series.is_empty() {
            let plot = HistogramPlot::of_result(result, name, &HistogramView::default());
            files.push((format!("{name}.svg"), histogram_svg(&plot, SVG_SIZE, theme)?));
        }
    }
    for name in result.heatmap_names() {
        let view = HeatmapView {
            name: name.clone(),
            ..HeatmapView::default()
        };
        let plot = HeatmapPlot::of_result(result, &view, None)?;
        // Facets have a slash and spaces in their names.
        let file = name.replace(['/', ' '], "-");
        files.push((format!("heatmap_{file}.svg"), heatmap_svg(&plot, SVG_SIZE, theme)?));
    }
    Ok(files)
}

/// `plot` as SVG text of `size` (width and height in CSS pixels).
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when drawing fails.
pub fn histogram_svg(plot: &HistogramPlot, size: (u32, u32), theme: &Theme) -> Result<String> {
    svg(size, theme, |area, options| plot.draw(area, options))
}

/// `plot` as SVG text of `size` (width and height in CSS pixels).
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when drawing fails.
pub fn heatmap_svg(plot: &HeatmapPlot, size: (u32, u32), theme: &Theme) -> Result<String> {
    svg(size, theme, |area, options| plot.draw(area, options))
}

/// `plot` as SVG text of `size` (width and height in CSS pixels).
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when drawing fails.
pub fn plot_svg(plot: &Plot, size: (u32, u32), theme: &Theme) -> Result<String> {
    svg(size, theme, |area, options| plot.draw(area, options))
}

fn svg(
    (width, height): (u32, u32),
    theme: &Theme,
    draw: impl Fn(&DrawingArea<SVGBackend<'_>, Shift>, &DrawOptions) -> Result<()>,
) -> Result<String> {
    let (width, height) = (width.clamp(1, 100_000), height.clamp(1, 100_000));
    let units = (width * UNITS, height * UNITS);
    let mut text = String::new();
    draw(
        &SVGBackend::with_string(&mut text, units).into_drawing_area(),
        &DrawOptions::svg(f64::from(UNITS), theme.clone()),
    )?;
    let size = |(width, height): (u32, u32)| format!("width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&size(units), &size((width, height)), 1))
}
