//! The head's output: the tokens whose logits it raises and lowers most.

use super::consequence_words::{copies, token_name};
use super::script::{self, MatrixKind};
use super::words::{head_title, pair_words, visible};
use crate::analysis::pair::{TokenValue, WritesSection};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("writes");

/// The tokens that are raised and lowered most.
pub struct HeadWrites;

fn section(result: &ResultFile) -> Result<&WritesSection> {
    result
        .writes()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has nothing that a head writes"))
}

fn title(result: &ResultFile, section: &WritesSection) -> String {
    let (_, src) = pair_words(result, section.dest, section.src);
    format!(
        "What {} writes from {src}: logits, per unit of attention",
        head_title(section.head)
    )
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let sides = [&section.raised, &section.lowered];
    let rows = sides.iter().map(|tokens| tokens.len()).max().unwrap_or(0);
    let cell = |token: &TokenValue| MatrixCell {
        value: token.value,
        label: visible(&token.text),
        lines: vec![
            token_name(&token.text),
            format!("{} per unit of attention", number(f64::from(token.value), 4)),
            format!(
                "{} times the attention",
                number(f64::from(token.value * section.attention), 4)
            ),
        ],
    };
    let cells: Vec<Vec<_>> = (0..rows)
        .map(|rank| sides.iter().map(|tokens| tokens.get(rank).map(cell)).collect())
        .collect();
    let sizes = cells.iter().flatten().flatten().map(|cell| f64::from(cell.value).abs());
    Ok(MatrixPlot {
        title: title(subject.result, section),
        x_label: "Tokens".into(),
        y_label: "Rank".into(),
        rows: (1..=rows).map(|rank| rank.to_string()).collect(),
        columns: ["raised", "lowered"].map(str::to_owned).to_vec(),
        colors: Colors::Diverging(sizes.fold(0.0, f64::max)),
        cells: cells.into(),
        pick: None,
    })
}

impl FigureKind for HeadWrites {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.writes().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "So what?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "What does the head write?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "The tokens whose logits the head raises most and lowers most with what it reads at the key's token, relative to the mean over the \
         vocabulary: by itself, past all later layers, with the scale of the final LayerNorm as it is."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "What the head writes".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = section(subject.result) else {
            return "There is nothing that a head writes.".into();
        };
        let description = |tokens: &[TokenValue]| {
            let description = tokens.iter().take(3).map(|token| token_name(&token.text));
            description.collect::<Vec<_>>().join(", ")
        };
        format!(
            "{} Raised most: {}. Lowered most: {}.",
            copies(section, 1.0),
            description(&section.raised),
            description(&section.lowered)
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let rows = |end: &'static str, tokens: &[TokenValue]| {
            let row = |(rank, token): (usize, &TokenValue)| {
                vec![
                    Field::Text(end.to_owned()),
                    Field::Count(rank + 1),
                    Field::Text(token.text.clone()),
                    Field::Single(token.value),
                    Field::Single(token.value * section.attention),
                ]
            };
            tokens.iter().enumerate().map(row).collect::<Vec<_>>()
        };
        let all = [rows("raised", &section.raised), rows("lowered", &section.lowered)];
        Ok(vec![Table {
            name: "writes",
            title: title(subject.result, section),
            caption: copies(section, 1.0),
            columns: ["end", "rank", "token", "per_attention", "times_attention"]
                .map(str::to_owned)
                .to_vec(),
            rows: all.concat(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_matrix(MatrixKind::Writes, &matrix(subject)?, theme))
    }
}
