//! The result file: reads it, writes it again, and makes every sentence and figure of it.
#![no_main]

use keyside::names::HistogramId;
use keyside::app::words;
use keyside::plot::{HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Plot, SVG_SIZE, Theme, plot_svg};
use keyside::result::ResultFile;
use keyside_fuzz::checked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(result) = checked(ResultFile::from_json(bytes)) else {
        return;
    };
    let json = result.to_json().expect("what was read can be written");
    assert_eq!(ResultFile::from_json(json.as_bytes()).as_ref(), Ok(&result));
    words::settings(&result);
    words::file_name(&result);
    let draw = |plot| checked(plot_svg(&plot, SVG_SIZE, &Theme::light()));
    for name in HistogramId::ALL {
        words::summary(&result, name);
        let plot = HistogramPlot::of_result(&result, name, &HistogramView::default());
        draw(Plot::from(plot));
    }
    result.skipped_notice();
    result.left_out();
    for name in result.heatmap_names() {
        for prompt in [None, Some(0)] {
            words::sums(&result, &name, prompt, prompt.is_some());
            result.heatmap(&name).map(|heatmap| words::heatmap_summary(&result, heatmap, prompt));
        }
        let view = HeatmapView {
            name,
            ..HeatmapView::default()
        };
        checked(HeatmapPlot::of_result(&result, &view, None).map(|plot| draw(Plot::from(plot))));
    }
});
