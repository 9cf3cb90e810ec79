//! Plots as SVG text.

use keyside::Result;
use keyside::names::HistogramId;
use keyside::plot::{HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Plot, SVG_SIZE, Theme, plot_svg};
use keyside::result::ResultFile;

pub fn histogram_svg(plot: &HistogramPlot, size: (u32, u32), theme: &Theme) -> Result<String> {
    plot_svg(&Plot::from(plot.clone()), size, theme)
}

pub fn heatmap_svg(plot: &HeatmapPlot, size: (u32, u32), theme: &Theme) -> Result<String> {
    plot_svg(&Plot::from(plot.clone()), size, theme)
}

/// All plots of `result` as (file name, SVG text): the histograms that have series, the heatmaps.
pub fn svg_files(result: &ResultFile, theme: &Theme) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for name in HistogramId::ALL {
        if !result.series(name).is_empty() {
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
        let file = name.to_string().replace(['/', ' '], "-");
        files.push((format!("heatmap_{file}.svg"), heatmap_svg(&plot, SVG_SIZE, theme)?));
    }
    Ok(files)
}
