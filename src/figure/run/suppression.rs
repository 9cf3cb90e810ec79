//! Copy suppression: how often the attended token is the one that the head lowers most, compared with control tokens.

use super::source_values::section;
use super::words::{self, TokenOverPrompts, WRITES};
use crate::error::Result;
use crate::export::{Field, Script, Table, hex, list};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::sentence::words::percent;
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::counted;
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("copy_suppression");
/// What follows the constants of the script.
const BODY: &str = include_str!("suppression.py");
/// What is asked of every token.
const COLUMNS: [&str; 3] = ["lowered most", "predicted", "both"];

/// A small table of shares of prompts.
pub struct CopySuppression;

fn title(result: &ResultFile) -> Result<String> {
    let head = section(result)?.head;
    Ok(format!("What head {head} attends to, and what it lowers most"))
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let looked = TokenOverPrompts::all(section(subject.result)?);
    let cell = |looked: &TokenOverPrompts, column: usize| {
        let share = looked.shares()[column];
        Some(MatrixCell {
            value: share,
            label: percent(share),
            lines: vec![
                looked.name.to_owned(),
                format!("{}: {}", COLUMNS[column], percent(share)),
                format!("of {}", counted(looked.count(), "prompt", "prompts")),
            ],
        })
    };
    let cells: Vec<Vec<_>> = looked
        .iter()
        .map(|looked| (0..COLUMNS.len()).map(|column| cell(looked, column)).collect())
        .collect();
    Ok(MatrixPlot {
        title: title(subject.result)?,
        x_label: "Share of prompts".into(),
        y_label: "Token".into(),
        rows: looked.iter().map(|looked| looked.name.to_owned()).collect(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        colors: Colors::UpTo(1.0),
        cells: cells.into(),
        pick: None,
    })
}

impl FigureKind for CopySuppression {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.run_writes().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        WRITES
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Does it lower what it attends to?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "In how many prompts the token that the head attends to most (position 0 apart) is the one of the whole vocabulary that it lowers most \
         with all that it reads, in how many it is among the ten likeliest tokens before the head, and in how many it is both. The rows below \
         are controls: the token that is second in attention, and one drawn from the others of the prompt."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Copy suppression over the prompts".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        match section(subject.result) {
            Ok(section) => words::suppression(section).join(" "),
            Err(_) => "Nothing is known of what the head suppresses.".into(),
        }
    }

    fn description(&self, subject: Subject<'_>) -> Vec<String> {
        section(subject.result).map(words::suppression).unwrap_or_default()
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let row = |looked: &TokenOverPrompts| {
            let shares = looked.shares().map(Field::Single);
            [Field::Text(looked.name.to_owned()), Field::Count(looked.count())]
                .into_iter()
                .chain(shares)
                .collect()
        };
        let columns = ["token", "prompts", "lowered_most", "predicted", "both"];
        Ok(vec![Table {
            name: "shares",
            title: title(subject.result)?,
            caption: "A row per token that is looked at: in how many prompts there is one, and in which share of these it is the one that the \
                      head lowers most, one of the ten likeliest before the head, and both."
                .into(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: TokenOverPrompts::all(section(subject.result)?).iter().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let plot = matrix(subject)?;
        let mut script = Script::new("from matplotlib.colors import LinearSegmentedColormap", BODY);
        script.texts(&[("TITLE", &plot.title), ("X_LABEL", &plot.x_label)]);
        script.line("ROWS", &list(&plot.rows));
        script.line("COLUMNS", &list(&plot.columns));
        let upper = theme.diverging[theme.diverging.len() / 2..].iter();
        let colors: Vec<String> = upper.map(|&color| hex(color)).collect();
        script.line("COLORS", &format!("[{}]", colors.join(", ")));
        script.colors(theme);
        Ok(script)
    }
}
