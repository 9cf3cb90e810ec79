//! The whole pattern of one head: a triangle.

use super::script::{self, Kind};
use super::words::{attention, head_title, name, percent, quoted};
use crate::analysis::AttentionSection;
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{FigureName, Side};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};

const NAME: FigureName = FigureName::new("pattern");
/// The table with every pair of tokens.
const ALL: &str = "pattern";

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

/// Where the head looks most from `dest`, and with how much of its attention.
fn largest(section: &AttentionSection, dest: usize) -> Option<(usize, f32)> {
    let shares = section.pattern_row(dest).iter().copied().enumerate();
    shares.max_by(|left, right| left.1.total_cmp(&right.1))
}

/// The names of the columns of both tables.
fn columns() -> Vec<String> {
    let of_side = |side: Side| [format!("{side} position"), side.to_string()];
    let ends = [Side::Query, Side::Key].into_iter().flat_map(of_side);
    ends.chain(["attention".to_owned()]).collect()
}

fn row(section: &AttentionSection, dest: usize, src: usize, share: f32) -> Vec<Field> {
    let text = |position: usize| {
        section
            .texts
            .get(position)
            .map_or(Field::Empty, |text| text.as_str().into())
    };
    vec![
        Field::Count(dest),
        text(dest),
        Field::Count(src),
        text(src),
        Field::Single(share),
    ]
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
        let told: Vec<String> = (0..section.texts.len())
            .rev()
            .take(4)
            .filter_map(|dest| {
                let (src, share) = largest(section, dest)?;
                let (dest, src) = (quoted(&section.texts, dest), quoted(&section.texts, src));
                Some(format!("from {dest} to {src} ({})", percent(share)))
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
            let shares = section.pattern_row(dest).iter().enumerate();
            shares.map(move |(src, share)| row(section, dest, src, *share))
        });
        let all = Table {
            name: ALL,
            title: title(of)?,
            caption:
                "A row per pair of tokens: the query's position and token, the key's, and the attention between them."
                    .into(),
            columns: columns(),
            rows: rows.collect(),
        };
        let most = (0..section.texts.len()).filter_map(|dest| {
            let (src, share) = largest(section, dest)?;
            Some(row(section, dest, src, share))
        });
        let most = Table {
            name: "most",
            title: title(of)?,
            caption: "A row per query: its position and token, those of the key that it looks most to, and how much of its attention goes there.".into(),
            columns: columns(),
            rows: most.collect(),
        };
        Ok(vec![most, all])
    }

    fn is_short(&self, table: &str) -> bool {
        table != ALL
    }

    fn script(&self, of: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_matrix(Kind::Pattern, &matrix(of)?, theme))
    }
}
