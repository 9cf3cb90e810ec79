//! The Python scripts that redraw a sentence, matrices of it, and dots.

use crate::analysis::Heatmap;
use crate::export::{Script, double, hex, list, quoted};
use crate::names::{Component, HistogramId};
use crate::plot::{CellRange, Colors, DotsPlot, MatrixPlot, PatternsPlot, Theme, TokensPlot};

/// What follows the constants of a matrix.
const MATRIX: &str = include_str!("matrix.py");
/// What follows the constants of a sentence.
const TOKENS: &str = include_str!("tokens.py");
/// What follows the constants of the patterns of a layer.
const LAYER: &str = include_str!("layer.py");
/// What follows the constants of dots.
const DOTS: &str = include_str!("dots.py");

/// What the cells of a matrix are made from.
#[derive(Debug, Clone, Copy)]
pub(super) enum MatrixKind {
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
    /// Direct effects of all components.
    Direct,
    /// One side of the direction that is opened.
    Direction,
    /// What groups of directions add.
    Directions,
    /// What would come next after each layer.
    Lens,
    /// The tokens that a head raises and lowers.
    Writes,
    /// Attention before interventions and after.
    Intervention,
    /// Changes without each component.
    Causal,
}

impl MatrixKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Effects => "effects",
            Self::Pattern => "pattern",
            Self::Writers => "writers",
            Self::Table => "table",
            Self::Direct => "direct",
            Self::Direction => "direction",
            Self::Directions => "directions",
            Self::Lens => "lens",
            Self::Writes => "writes",
            Self::Intervention => "intervention",
            Self::Causal => "causal",
        }
    }

    /// Whether its cells can't be understood without what is written on them.
    const fn is_labeled(self) -> bool {
        matches!(self, Self::Lens | Self::Writes)
    }
}

/// Which component stands where in a map of components.
pub(super) fn components(script: &mut Script, heatmap: &Heatmap) {
    let rows = heatmap.table(heatmap.mean.data()).into_iter().map(|row| {
        let label = |cell: Option<(Component, f32)>| match cell {
            Some((component, _)) => quoted(&component.label()),
            None => "None".to_owned(),
        };
        format!("[{}]", row.into_iter().map(label).collect::<Vec<_>>().join(", "))
    });
    script.comment("Which component stands where.");
    script.rows("COMPONENTS", &rows.collect::<Vec<_>>());
}

/// Redraws `plot` of `kind` in the colors of `theme`.
pub(super) fn of_matrix(kind: MatrixKind, plot: &MatrixPlot, theme: &Theme) -> Script {
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
    script.comment("What is written on the cells.");
    let rows = (0..plot.rows.len()).filter(|_| kind.is_labeled());
    let labels = rows.map(|row| {
        let labels = (0..plot.columns.len()).map(|column| plot.cells.label(row, column));
        list(&labels.collect::<Vec<_>>())
    });
    script.rows("LABELS", &labels.collect::<Vec<_>>());
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

/// Redraws `plot`, whose cells are the part `shown` of a pattern, in the colors of `theme`.
pub(super) fn of_pattern(shown: CellRange, plot: &MatrixPlot, theme: &Theme) -> Script {
    let mut script = of_matrix(MatrixKind::Pattern, plot, theme);
    script.comment("The first position that is shown of queries and of keys.");
    let first = format!("{}, {}", shown.rows.0, shown.columns.0);
    script.line("FIRST_ROW, FIRST_COLUMN", &first);
    script
}

/// Redraws `plot` as small triangles, in the colors of `theme`.
pub(super) fn of_patterns(plot: &PatternsPlot, theme: &Theme) -> Script {
    let mut script = Script::new("from matplotlib.colors import LinearSegmentedColormap", LAYER);
    script.texts(&[("TITLE", &plot.title)]);
    script.comment("The head that is chosen.");
    script.line(
        "HEAD",
        &plot.pick.map_or_else(|| "None".to_owned(), |head| head.to_string()),
    );
    let upper = theme.diverging[theme.diverging.len() / 2..].iter();
    let colors: Vec<String> = upper.map(|&color| hex(color)).collect();
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
    let (values, own) = if histogram.probs() {
        ("probabilities", "true_prob")
    } else {
        ("scores", "true_score")
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
