//! A Python script that redraws a figure from the result file, with nothing but json and matplotlib.
//!
//! The script begins with what is particular to the figure, as constants; what follows is a file of `src/export/python`.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::{Figure, number, result_stem};
use crate::error::Result;
use crate::names::HistogramId;
use crate::plot::{Cell, HeatmapPlot, HeatmapView, HistogramPlot, Theme};
use crate::result::ResultFile;

const HISTOGRAM: &str = include_str!("python/histogram.py");
const HEATMAP: &str = include_str!("python/heatmap.py");

/// The script that redraws `figure` of `result` in the colours of `theme`; it reads the result file `file`, which it expects in
/// the working folder.
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when `result` does not have the figure.
pub fn script(figure: &Figure, result: &ResultFile, file: &str, theme: &Theme) -> Result<String> {
    let mut constants = Constants::default();
    let picture = format!("{}-{}.png", result_stem(result), figure.stem());
    constants.texts(&[("RESULT", file), ("PICTURE", &picture)]);
    let (imports, body) = match figure {
        Figure::Heatmap(view, prompt) => {
            let plot = HeatmapPlot::of_result(result, view, *prompt)?;
            heatmap(&mut constants, view, &plot, theme);
            (
                "\nfrom matplotlib.colors import LinearSegmentedColormap, to_rgb",
                HEATMAP,
            )
        }
        Figure::Histogram(name, view, _) => {
            let plot = HistogramPlot::of_result(result, *name, view);
            histogram(&mut constants, *name, &plot, theme);
            ("", HISTOGRAM)
        }
    };
    Ok(format!(
        "\"\"\"Redraws a figure of keyside from its result file.\n\n\
         Needs matplotlib 3.7 or newer (pip install matplotlib), and the result file in the working folder.\n\
         Written by keyside {}.\n\"\"\"\nimport json\n\nimport matplotlib.pyplot as plt{imports}\n\n{}{body}",
        env!("CARGO_PKG_VERSION"),
        constants.text
    ))
}

fn histogram(constants: &mut Constants, name: HistogramId, plot: &HistogramPlot, theme: &Theme) {
    let truth = if name.probs() { "true_prob" } else { "true_score" };
    let (start, size, count) = plot
        .bins
        .map_or((0.0, 1.0, 0), |bins| (bins.start, bins.size, bins.count));
    let (low, high) = plot.range();
    constants.comment("Where the values are in a result file of version 1, and where they are in one of version 2.");
    constants.texts(&[
        ("HISTOGRAM", name.as_str()),
        ("SIDE", name.side().as_str()),
        ("VALUES", if name.probs() { "probabilities" } else { "scores" }),
        ("TRUE_VALUES", truth),
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("Y_LABEL", &plot.y_label),
        ("LEGEND_TITLE", &plot.legend_title),
    ]);
    constants.comment("Equal bins: where the first one starts, their size, their number.");
    constants.line(
        "START, SIZE, COUNT",
        &format!("{}, {}, {count}", number::double(start), number::double(size)),
    );
    constants.comment("Range of values that is shown, and whether the axis of counts is logarithmic.");
    constants.line("RANGE", &format!("({}, {})", number::double(low), number::double(high)));
    constants.line("LOG", if plot.log_counts { "True" } else { "False" });
    constants.comment("Label and colour of each series that is shown, boxes from the bottom up.");
    let shown = plot.series.iter().filter(|series| series.visible);
    let rows: Vec<String> = shown
        .map(|series| format!("({}, {})", quoted(&series.label), hex(theme.series_color(series.color))))
        .collect();
    constants.rows("SERIES", &rows);
    constants.line("OPACITY", &number::double(theme.bar_opacity));
    colours(constants, theme);
}

fn heatmap(constants: &mut Constants, view: &HeatmapView, plot: &HeatmapPlot, theme: &Theme) {
    constants.comment("Where the heatmap is in a result file of version 1; of version 2, the parts of its name.");
    let path: Vec<String> = match view.name.group_and_facet() {
        (name, Some(facet)) => [&name, "facets", &facet].map(quoted).to_vec(),
        (name, None) => vec![quoted(&name)],
    };
    constants.line("HEATMAP", &format!("[{}]", path.join(", ")));
    constants.comment("The prompt whose cells are drawn, counted from 0; None for the mean.");
    constants.line(
        "PROMPT",
        &plot.prompt.map_or("None".to_owned(), |prompt| prompt.to_string()),
    );
    constants.texts(&[
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("Y_LABEL", &plot.y_label),
    ]);
    constants.comment("The rows and columns that are shown.");
    constants.line("ROWS", &list(&plot.rows));
    constants.line("COLUMNS", &list(&plot.columns));
    constants.comment("Short name of every component; None where there is none.");
    let label = |cell: &Option<Cell>| cell.as_ref().map_or("None".to_owned(), |cell| quoted(&cell.label));
    let labels = plot
        .cells
        .iter()
        .map(|row| format!("[{}]", row.iter().map(label).collect::<Vec<_>>().join(", ")));
    constants.rows("LABELS", &labels.collect::<Vec<_>>());
    constants
        .comment("Both ends of the colour scale, and its colours from the most negative value to the most positive.");
    constants.line("LIMIT", &number::double(plot.limit));
    constants.line("COLORS", &format!("[{}]", theme.diverging.map(hex).join(", ")));
    constants.line(
        "TEXT_ON_DARK, TEXT_ON_LIGHT",
        &format!("{}, {}", hex(theme.text_on_dark), hex(theme.text_on_light)),
    );
    colours(constants, theme);
}

fn colours(constants: &mut Constants, theme: &Theme) {
    constants.line(
        "BACKGROUND, TEXT",
        &format!("{}, {}", hex(theme.background), hex(theme.text)),
    );
}

/// What is particular to a figure: lines of a script.
#[derive(Default)]
struct Constants {
    text: String,
}

impl Constants {
    fn comment(&mut self, text: &str) {
        self.push(format_args!("# {text}"));
    }

    fn line(&mut self, name: &str, value: &str) {
        self.push(format_args!("{name} = {value}"));
    }

    fn texts(&mut self, texts: &[(&str, &str)]) {
        texts.iter().for_each(|(name, text)| self.line(name, &quoted(text)));
    }

    fn rows(&mut self, name: &str, rows: &[String]) {
        let rows: String = rows.iter().map(|row| format!("    {row},\n")).collect();
        self.push(format_args!("{name} = [\n{rows}]"));
    }

    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// The texts of `names` as a Python list.
fn list<T: ToString>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(&name.to_string())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `text` as a Python string, in ASCII: it may come from a result file, which may hold anything.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            other if u32::from(other) <= 0xFFFF => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}

fn hex(color: RGBColor) -> String {
    format!("\"#{:02x}{:02x}{:02x}\"", color.0, color.1, color.2)
}

#[cfg(test)]
#[path = "python_tests.rs"]
mod tests;
