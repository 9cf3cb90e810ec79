//! The Python scripts that redraw a sentence, matrices of it, and dots.

use crate::export::{Script, double, hex, list, quoted};
use crate::names::HistogramId;
use crate::plot::{Colors, DotsPlot, MatrixPlot, Theme, TokensPlot};

/// What follows the constants of a matrix.
const MATRIX: &str = include_str!("matrix.py");
/// What follows the constants of a sentence.
const TOKENS: &str = include_str!("tokens.py");
/// What follows the constants of dots.
const DOTS: &str = include_str!("dots.py");

/// What the cells of a matrix are made from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A measure of every head.
    Heads,
    /// An effect of every head.
    Effects,
    /// Probabilities of one head.
    Pattern,
    /// Sums of a side of the table of a pair.
    Writers,
    /// The table of a pair, by layer.
    Table,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Effects => "effects",
            Self::Pattern => "pattern",
            Self::Writers => "writers",
            Self::Table => "table",
        }
    }
}

/// Redraws `plot` of `kind` in the colors of `theme`.
pub(super) fn of_matrix(kind: Kind, plot: &MatrixPlot, theme: &Theme) -> Script {
    let mut script = Script::new(
        "from math import exp, log\n\nfrom matplotlib.colors import LinearSegmentedColormap",
        MATRIX,
    );
    script.texts(&[
        ("KIND", kind.name()),
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("Y_LABEL", &plot.y_label),
    ]);
    script.line("ROWS", &list(&plot.rows));
    script.line("COLUMNS", &list(&plot.columns));
    script.comment("Both ends of the color scale, and its colors.");
    let limit = plot.colors.limit();
    let (least, first) = match plot.colors {
        Colors::UpTo(_) => (0.0, theme.diverging.len() / 2),
        Colors::Diverging(_) => (-limit, 0),
    };
    script.line("LIMITS", &format!("({}, {})", double(least), double(limit)));
    let colors: Vec<String> = theme.diverging[first..].iter().map(|&color| hex(color)).collect();
    script.line("COLORS", &format!("[{}]", colors.join(", ")));
    script.colors(theme);
    script
}

/// Redraws `plot` as a bar for each token, in the colors of `theme`.
pub(super) fn of_tokens(plot: &TokensPlot, theme: &Theme) -> Script {
    let mut script = Script::new("from math import exp", TOKENS);
    script.texts(&[("TITLE", &plot.title)]);
    let texts: Vec<&str> = plot.tokens.iter().map(|token| token.text.as_str()).collect();
    script.line("TOKENS", &list(&texts));
    script.line("QUERY, KEY", &format!("{}, {}", hex(theme.query), hex(theme.key)));
    script.colors(theme);
    script
}

/// Redraws `plot`, whose rows are `series` of `histogram`, in the colors of `theme`.
pub(super) fn of_dots(plot: &DotsPlot, (histogram, series): (HistogramId, &[String]), theme: &Theme) -> Script {
    let mut script = Script::new("", DOTS);
    let (values, own) = match histogram.probs() {
        true => ("probabilities", "true_prob"),
        false => ("scores", "true_score"),
    };
    script.texts(&[
        ("TITLE", &plot.title),
        ("X_LABEL", &plot.x_label),
        ("HISTOGRAM", histogram.as_str()),
        ("SIDE", histogram.side().as_str()),
        ("VALUES", values),
        ("OWN", own),
    ]);
    let range = plot.range.map_or_else(
        || "None".to_owned(),
        |(low, high)| format!("({}, {})", double(low), double(high)),
    );
    script.line("RANGE", &range);
    script.comment("Series, what it is called, color.");
    let rows = plot.rows.iter().zip(series).map(|(row, series)| {
        let color = hex(theme.series_color(row.color));
        format!("({}, {}, {color})", quoted(series), quoted(&row.label))
    });
    script.rows("ROWS", &rows.collect::<Vec<_>>());
    script.colors(theme);
    script
}
