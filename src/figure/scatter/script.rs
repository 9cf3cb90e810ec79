//! The Python script that redraws the scatter.

use super::words::series_name;
use crate::export::{Script, hex, quoted};
use crate::names::PromptSeries;
use crate::plot::{OF_NO_VECTOR, Theme};

/// What follows the constants.
const BODY: &str = include_str!("script.py");

/// Redraws `y` against `x` in the colors of `theme`.
pub(super) fn script(title: &str, x: &PromptSeries, y: &PromptSeries, theme: &Theme) -> Script {
    let mut script = Script::new("", BODY);
    script.comment("Where the values are in a result file of version 1, where they are in one of version 2, and what they are called.");
    for (name, axis) in [("X", x), ("Y", y)] {
        let (histogram, side) = (axis.histogram, axis.histogram.side());
        let values = if histogram.probs() { "probabilities" } else { "scores" };
        let truth = if histogram.probs() { "true_prob" } else { "true_score" };
        let series = if axis.series.is_true_values() {
            String::new()
        } else {
            axis.series.to_string()
        };
        let parts = [
            histogram.as_str(),
            side.as_str(),
            values,
            truth,
            &series,
            &series_name(axis),
        ];
        script.line(name, &format!("({})", parts.map(quoted).join(", ")));
    }
    script.texts(&[("TITLE", title)]);
    script.comment("Whether both have one unit: then the axes show the same range, and a line where values are equal.");
    script.line("SAME_UNIT", if x.has_unit_of(y) { "True" } else { "False" });
    script.line("COLOR", &hex(theme.series_color(OF_NO_VECTOR[0])));
    script.colors(theme);
    script
}
