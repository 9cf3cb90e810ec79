//! The result file: parses it, writes it again, and makes all its descriptions and figures.
#![no_main]

use keyside::app::words;
use keyside::figure::{Figure, View};
use keyside::plot::{SVG_SIZE, Theme, plot_svg};
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
    result.skipped_notice();
    result.left_out();
    for name in result.heatmap_names() {
        for prompt in [None, Some(0)] {
            words::sums(&result, &name, prompt, prompt.is_some());
        }
    }
    for prompt in [None, Some(0)] {
        let view = View {
            prompt,
            ..View::default()
        };
        for figure in Figure::all(&result, &view) {
            figure.summary(&result);
            let theme = Theme::light();
            checked(figure.plot(&result).and_then(|plot| plot_svg(&plot, SVG_SIZE, &theme)));
            checked(figure.markdown(&result));
            checked(figure.script(&result, "result.json", &theme));
        }
    }
});
