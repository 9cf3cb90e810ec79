//! The attention patterns of all heads of a layer, as small triangles side by side.

use super::keys::{LAYER, take_layer, write_layer};
use super::script;
use super::words::{attention, head_title, pair_words, percent, quoted};
use crate::analysis::{AttentionSection, LayerSection};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{FigureName, Head, Side};
use crate::plot::{PatternsPlot, Plot, SmallPattern, Theme};
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("layer");
/// The table with every pair of positions.
const ALL: &str = "patterns";

/// Where every head of a layer looks from every token.
pub struct Layer;

/// The patterns of a layer, and the attention of the same sentence.
fn sections(result: &ResultFile) -> Result<(&LayerSection, &AttentionSection)> {
    let missing = || Error::new(ErrorKind::Plot, "the result has no patterns of all heads of a layer");
    let (section, attention) = (result.layer().ok_or_else(missing)?, attention(result)?);
    let rows = attention.texts.len().div_ceil(section.block.max(1));
    (section.rows() == rows)
        .then_some((section, attention))
        .ok_or_else(missing)
}

/// The heads of `section`.
fn heads(section: &LayerSection) -> impl Iterator<Item = Head> {
    let count = section.patterns.shape().first().copied().unwrap_or_default();
    let layer = section.layer;
    (0..count).map(move |head| Head::new(layer, head))
}

/// What `head` gives most of its attention to from the query, and how much that is.
fn largest(attention: &AttentionSection, head: Head) -> Option<(usize, f32)> {
    let row = attention.row(head).into_iter().enumerate();
    row.max_by(|left, right| left.1.total_cmp(&right.1))
}

fn title(section: &LayerSection) -> String {
    format!("Attention patterns of all heads of layer {}", section.layer)
}

fn plot(result: &ResultFile) -> Result<PatternsPlot> {
    let (section, attention) = sections(result)?;
    let (dest, src) = pair_words(result, attention.dest, attention.src);
    let lines = |head: Head| {
        let share = attention.row(head).get(attention.src).copied();
        let most = largest(attention, head).map(|(position, share)| {
            let text = quoted(&attention.texts, position);
            format!("from {dest} most to {text} ({position}): {}", percent(share))
        });
        let lines = [
            Some(head_title(head)),
            share.map(|share| format!("from {dest} to {src}: {}", percent(share))),
            most,
        ];
        lines.into_iter().flatten().collect()
    };
    let patterns = heads(section).map(|head| SmallPattern {
        name: head.to_string(),
        shares: section.pattern(head.head).to_vec(),
        lines: lines(head),
    });
    Ok(PatternsPlot {
        title: title(section),
        patterns: patterns.collect(),
        rows: section.rows(),
        pick: (attention.head.layer == section.layer).then_some(attention.head.head),
    })
}

impl FigureKind for Layer {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        sections(subject.result).is_ok()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Which head?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Where do all heads of its layer look?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A triangle for each head: a row for each query, a column for each key, colored by how much of the query's attention goes there. \
         Of long sentences a row and a column stand for several tokens, with the largest of them."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Patterns of a layer".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok((section, attention)) = sections(subject.result) else {
            return "There are no patterns of a layer.".into();
        };
        let mut shares: Vec<(Head, f32)> = heads(section)
            .filter_map(|head| Some((head, attention.row(head).get(attention.src).copied()?)))
            .collect();
        sort_descending(&mut shares, |share| share.1);
        let (dest, src) = pair_words(subject.result, attention.dest, attention.src);
        let description: Vec<String> = shares
            .iter()
            .take(3)
            .map(|(head, share)| format!("{head} with {}", percent(*share)))
            .collect();
        format!(
            "Of the {} heads of layer {}, those that look most from {dest} to {src} are {}.",
            heads(section).count(),
            section.layer,
            description.join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        plot(subject.result).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let (section, attention) = sections(subject.result)?;
        let position_of = |side: Side| format!("{side} position");
        let row = |head: Head| {
            let share = attention.row(head).get(attention.src).copied();
            let (position, most) = largest(attention, head)?;
            Some(vec![
                Field::Text(head.to_string()),
                share.map_or(Field::Empty, Field::Single),
                Field::Count(position),
                attention
                    .texts
                    .get(position)
                    .map_or(Field::Empty, |text| text.as_str().into()),
                Field::Single(most),
            ])
        };
        let (dest, src) = pair_words(subject.result, attention.dest, attention.src);
        let heads_table = Table {
            name: "layer",
            title: title(section),
            caption: format!(
                "A row per head: its attention from {dest} to {src}, and what it looks most to from there: position, token, attention."
            ),
            columns: [
                "head",
                "attention",
                &position_of(Side::Key),
                Side::Key.as_str(),
                "largest",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: heads(section).filter_map(row).collect(),
        };
        let block = section.block;
        let cells = heads(section).flat_map(|head| {
            let pairs = (0..section.rows()).flat_map(|row| (0..=row).map(move |column| (row * block, column * block)));
            pairs.zip(section.pattern(head.head)).map(move |((dest, src), share)| {
                vec![
                    Field::Text(head.to_string()),
                    Field::Count(dest),
                    Field::Count(src),
                    Field::Single(*share),
                ]
            })
        });
        let caption = match block {
            1 => "A row per head and pair of tokens: the query's position, the key's, and the attention between them."
                .to_owned(),
            _ => format!(
                "A row per head and {block} queries and keys each, one after the other: the first position of both, and the largest \
                 attention between them."
            ),
        };
        let all = Table {
            name: ALL,
            title: title(section),
            caption,
            columns: [
                "head".to_owned(),
                position_of(Side::Query),
                position_of(Side::Key),
                "attention".to_owned(),
            ]
            .to_vec(),
            rows: cells.collect(),
        };
        Ok(vec![heads_table, all])
    }

    fn is_short(&self, table: &str) -> bool {
        table != ALL
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_patterns(&plot(subject.result)?, theme))
    }

    fn is_key(&self, key: &str) -> bool {
        key == LAYER
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_layer(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_layer(view, query);
    }
}
