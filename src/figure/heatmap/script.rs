//! The Python script that redraws a heatmap.

use crate::export::{Script, double, hex, list, quoted};
use crate::plot::{Cell, HeatmapPlot, HeatmapView, Theme};

/// What follows the constants.
const BODY: &str = include_str!("script.py");

/// Redraws `plot`, the heatmap of `view`, in the colors of `theme`.
pub(super) fn script(view: &HeatmapView, plot: &HeatmapPlot, theme: &Theme) -> Script {
    let mut script = Script::new("from matplotlib.colors import LinearSegmentedColormap, to_rgb", BODY);
    script.comment("Where the heatmap is in a result file of version 1; of version 2, the parts of its name.");
    let path: Vec<String> = match view.name.group_and_facet() {
        (name, Some(facet)) => [&name, "facets", &facet].map(quoted).to_vec(),
        (name, None) => vec![quoted(&name)],
    };
    script.line("HEATMAP", &format!("[{}]", path.join(", ")));
    script.comment("The prompt whose cells are drawn, counted from 0; None for the mean.");
    script.line(
        "PROMPT",
        &plot.prompt.map_or("None".to_owned(), |prompt| prompt.to_string()),
    );
    script.texts(&[
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("Y_LABEL", &plot.y_label),
    ]);
    script.comment("The rows and columns that are shown.");
    script.line("ROWS", &list(&plot.rows));
    script.line("COLUMNS", &list(&plot.columns));
    script.comment("Short name of every component; None where there is none.");
    let label = |cell: &Option<Cell>| cell.as_ref().map_or("None".to_owned(), |cell| quoted(&cell.label));
    let labels = plot
        .cells
        .iter()
        .map(|row| format!("[{}]", row.iter().map(label).collect::<Vec<_>>().join(", ")));
    script.rows("LABELS", &labels.collect::<Vec<_>>());
    script.comment("Both ends of the colour scale, and its colours from the most negative value to the most positive.");
    script.line("LIMIT", &double(plot.limit));
    script.line("COLORS", &format!("[{}]", theme.diverging.map(hex).join(", ")));
    script.line(
        "TEXT_ON_DARK, TEXT_ON_LIGHT",
        &format!("{}, {}", hex(theme.text_on_dark), hex(theme.text_on_light)),
    );
    script.colors(theme);
    script
}
