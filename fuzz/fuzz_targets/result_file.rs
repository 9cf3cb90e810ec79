//! The result file: reads it, writes it again, and makes every sentence and figure of it.
#![no_main]

use keyside::app::words;
use keyside::plot::{HistogramName, Theme, svg_files};
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
    for name in HistogramName::all() {
        words::summary(&result, name);
    }
    for heatmap in result.heatmaps.values() {
        words::identity(heatmap, result.batch_size, false);
        words::identity(heatmap, result.batch_size, true);
        words::heatmap_summary(&result, heatmap);
    }
    checked(svg_files(&result, &Theme::light()));
});
