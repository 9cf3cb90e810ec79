//! The Python script that redraws a matrix of a sentence.

use crate::export::{Script, double, hex, list};
use crate::plot::{Colors, MatrixPlot, Theme};

/// What follows the constants.
const BODY: &str = include_str!("script.py");

/// What the cells of a matrix are made from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A measure of every head.
    Heads,
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
        BODY,
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
