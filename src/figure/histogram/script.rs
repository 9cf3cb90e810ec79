//! The Python script that redraws a histogram.

use crate::export::{Script, double, hex, quoted};
use crate::names::{ChangeMeasure, HistogramId};
use crate::plot::{HistogramPlot, Theme};

/// What follows the constants.
const BODY: &str = include_str!("script.py");

/// Redraws `plot`, the histogram `name`, in the colors of `theme`.
pub(super) fn script(name: HistogramId, plot: &HistogramPlot, theme: &Theme) -> Script {
    let mut script = Script::new("", BODY);
    let truth = if name.probs() { "true_prob" } else { "true_score" };
    script.comment("Where the values are in a result file of version 1, and where they are in one of version 2.");
    script.texts(&[
        ("HISTOGRAM", name.as_str()),
        ("SIDE", name.side().as_str()),
        ("VALUES", if name.probs() { "probabilities" } else { "scores" }),
        ("TRUE_VALUES", truth),
    ]);
    script.line("MEASURE", "None");
    redraw(script, plot, theme)
}

/// Redraws `plot`, whose series are changes of `measure` by an intervention, in the colors of `theme`.
pub(in crate::figure) fn of_changes(measure: ChangeMeasure, plot: &HistogramPlot, theme: &Theme) -> Script {
    let mut script = Script::new("", BODY);
    script.comment("Which number of every prompt has changed.");
    script.texts(&[("MEASURE", measure.as_str())]);
    redraw(script, plot, theme)
}

fn redraw(mut script: Script, plot: &HistogramPlot, theme: &Theme) -> Script {
    let (start, size, count) = plot
        .bins
        .map_or((0.0, 1.0, 0), |bins| (bins.start, bins.size, bins.count));
    let (low, high) = plot.range();
    script.texts(&[
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("Y_LABEL", &plot.y_label),
        ("LEGEND_TITLE", &plot.legend_title),
    ]);
    script.comment("Equal bins: where the first one starts, their size, their number.");
    script.line(
        "START, SIZE, COUNT",
        &format!("{}, {}, {count}", double(start), double(size)),
    );
    script.comment("Range of values that is shown, and whether the axis of counts is logarithmic.");
    script.line("RANGE", &format!("({}, {})", double(low), double(high)));
    script.line("LOG", if plot.log_counts { "True" } else { "False" });
    script.comment("Label and colour of each series that is shown, boxes from the bottom up.");
    let shown = plot.series.iter().filter(|series| series.visible);
    let rows: Vec<String> = shown
        .map(|series| format!("({}, {})", quoted(&series.label), hex(theme.series_color(series.color))))
        .collect();
    script.rows("SERIES", &rows);
    script.line("OPACITY", &double(theme.bar_opacity));
    script.colors(theme);
    script
}
