//! The whole pattern of one head: a triangle.

use super::script::{self, Kind};
use super::words::{attention, head_title, name, percent, quoted};
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};

const NAME: FigureName = FigureName::new("pattern");

/// Where the head looks from every token.
pub struct Pattern;

fn matrix(of: Subject<'_>) -> Result<MatrixPlot> {
    let section = attention(of.result)?;
    let count = section.texts.len();
    let cell = |dest: usize, src: usize| {
        let share = *section.pattern_row(dest).get(src)?;
        Some(MatrixCell {
            value: share,
            label: String::new(),
            lines: vec![
                format!(
                    "from {} ({dest}) to {} ({src})",
                    quoted(&section.texts, dest),
                    quoted(&section.texts, src)
                ),
                format!("attention {}", percent(share)),
            ],
        })
    };
    let names: Vec<String> = section.texts.iter().map(|text| name(text)).collect();
    Ok(MatrixPlot {
        title: title(of)?,
        x_label: "Key".into(),
        y_label: "Query".into(),
        rows: names.clone(),
        columns: names,
        cells: (0..count)
            .map(|dest| (0..count).map(|src| cell(dest, src)).collect())
            .collect(),
        colors: Colors::UpTo(1.0),
        pick: Some((section.dest, section.src)),
    })
}

fn title(of: Subject<'_>) -> Result<String> {
    Ok(format!(
        "Attention pattern of {}",
        head_title(attention(of.result)?.head)
    ))
}

impl FigureKind for Pattern {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, of: Subject<'_>) -> bool {
        of.result.attention().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Which head?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Where does it look from every word?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A row for each query, a column for each key: how much of the query's attention goes there. A head sees no later token.".into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Attention pattern".into()
    }

    fn summary(&self, of: Subject<'_>) -> String {
        let Ok(section) = attention(of.result) else {
            return "There is no attention of a sentence.".into();
        };
        let largest = |dest: usize| {
            let row = section.pattern_row(dest).iter().enumerate();
            row.max_by(|left, right| left.1.total_cmp(right.1))
        };
        let told: Vec<String> = (0..section.texts.len())
            .rev()
            .take(4)
            .filter_map(|dest| {
                let (src, share) = largest(dest)?;
                let (dest, src) = (quoted(&section.texts, dest), quoted(&section.texts, src));
                Some(format!("from {dest} to {src} ({})", percent(*share)))
            })
            .collect();
        format!(
            "{} looks most {}.",
            head_title(section.head).replacen('h', "H", 1),
            told.join(", ")
        )
    }

    fn plot(&self, of: Subject<'_>) -> Result<Plot> {
        matrix(of).map(Plot::from)
    }

    fn tables(&self, of: Subject<'_>) -> Result<Vec<Table>> {
        let section = attention(of.result)?;
        let rows = (0..section.texts.len()).flat_map(|dest| {
            let row = section.pattern_row(dest).iter().enumerate();
            row.map(move |(src, share)| {
                vec![
                    Field::Count(dest),
                    section.texts[dest].as_str().into(),
                    Field::Count(src),
                    section.texts[src].as_str().into(),
                    Field::Single(*share),
                ]
            })
        });
        Ok(vec![Table {
            name: "pattern",
            title: title(of)?,
            caption:
                "A row per pair of tokens: the query's position and token, the key's, and the attention between them."
                    .into(),
            columns: ["query position", "query", "key position", "key", "attention"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        }])
    }

    fn script(&self, of: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_matrix(Kind::Pattern, &matrix(of)?, theme))
    }
}
