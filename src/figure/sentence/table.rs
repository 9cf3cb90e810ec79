//! Both sides of a score at once: what was written at the one end meets what was written at the other, by layer.

use super::script::{self, Kind};
use super::words::{component_name, ends, head_title, largest_pairs, pair, sums};
use crate::analysis::PairSection;
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{Component, FigureName, Side};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;

const NAME: FigureName = FigureName::new("table");
/// The table with every pair of components.
const PAIRS: &str = "pairs";
/// Pairs of components that are told.
const TOLD: usize = 3;

/// The table of both sides, its components by layer.
pub struct Both;

/// Components that stand in one row or column: the embeddings, a layer, or the bias.
fn groups(components: &[Component]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let same = groups.last().and_then(|group| group.last()).is_some_and(|&last| {
            let is_bias = |component: &Component| matches!(component, Component::QueryBias | Component::KeyBias);
            components[last].layer() == component.layer() && !is_bias(component)
        });
        match groups.last_mut().filter(|_| same) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

fn group_name(components: &[Component], group: &[usize], side: Side) -> String {
    match group.first().and_then(|&index| components.get(index)) {
        Some(component) => match component.layer() {
            Some(layer) => layer.to_string(),
            None if matches!(component, Component::QueryBias | Component::KeyBias) => Component::bias(side).to_string(),
            None => "embed".to_owned(),
        },
        None => String::new(),
    }
}

fn matrix(of: Subject<'_>) -> Result<MatrixPlot> {
    let section = pair(of.result)?;
    let (components, width) = (&section.components, section.components.len());
    let groups = groups(components);
    let (dest, src) = ends(of.result, section.dest, section.src);
    let names = |side| -> Vec<String> {
        let name = |group: &Vec<usize>| group_name(components, group, side);
        groups.iter().map(name).collect()
    };
    let (rows, columns) = (names(Side::Query), names(Side::Key));
    let cell = |row: usize, column: usize| {
        let pairs = groups[row]
            .iter()
            .flat_map(|&m| groups[column].iter().map(move |&n| (m, n)));
        let values = pairs
            .clone()
            .map(|(m, n)| f64::from(section.table.data()[m * width + n]));
        let value: f64 = values.sum();
        let largest = pairs.max_by(|left, right| {
            let size = |&(m, n): &(usize, usize)| section.table.data()[m * width + n].abs();
            size(left).total_cmp(&size(right))
        });
        let mut lines = vec![
            format!("query side {}, key side {}", rows[row], columns[column]),
            format!(
                "{} pairs: {}",
                groups[row].len() * groups[column].len(),
                number(value, 3)
            ),
        ];
        lines.extend(largest.map(|(m, n)| {
            format!(
                "most: {} with {}, {}",
                component_name(components[m], Side::Query),
                component_name(components[n], Side::Key),
                number(f64::from(section.table.data()[m * width + n]), 3)
            )
        }));
        MatrixCell {
            value: value as f32,
            label: number(value, 2),
            lines,
        }
    };
    let cells: Vec<Vec<_>> = (0..groups.len())
        .map(|row| (0..groups.len()).map(|column| Some(cell(row, column))).collect())
        .collect();
    let sizes = cells.iter().flatten().flatten().map(|cell| f64::from(cell.value).abs());
    Ok(MatrixPlot {
        title: title(section),
        x_label: format!("Key side: {src}, by layer"),
        y_label: format!("Query side: {dest}, by layer"),
        colors: Colors::Diverging(sizes.fold(0.0, f64::max)),
        rows,
        columns,
        cells,
        pick: None,
    })
}

/// The table of what is drawn.
fn by_layer(plot: &MatrixPlot) -> Table {
    let row = |(name, cells): (&String, &Vec<Option<MatrixCell>>)| {
        let cell = |cell: &Option<MatrixCell>| cell.as_ref().map_or(Field::Empty, |cell| Field::Single(cell.value));
        let name = Field::Text(name.clone());
        [name].into_iter().chain(cells.iter().map(cell)).collect()
    };
    let first = format!("{} side", Side::Query);
    Table {
        name: "layers",
        title: plot.title.clone(),
        caption:
            "A row for what was written at the query's token, a column for what was written at the key's, by layer."
                .into(),
        columns: [first].into_iter().chain(plot.columns.iter().cloned()).collect(),
        rows: plot.rows.iter().zip(&plot.cells).map(row).collect(),
    }
}

fn title(section: &PairSection) -> String {
    format!("Both sides of the score of {}", head_title(section.head))
}

impl FigureKind for Both {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, of: Subject<'_>) -> bool {
        of.result.pair().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "What makes the score?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "What meets what?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A row for what was written at the query's token, a column for what was written at the key's, by layer: what the two add to the \
         score together. Blue raises it, red lowers it."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Both sides of the score".into()
    }

    fn summary(&self, of: Subject<'_>) -> String {
        let Ok(section) = pair(of.result) else {
            return "There is no account of a score.".into();
        };
        let texts = of.result.attention().map_or(&[][..], |attention| &attention.texts);
        let told = largest_pairs(section, texts, TOLD).into_iter();
        let told: Vec<String> = told
            .map(|(words, value)| format!("{words}: {}", number(f64::from(value), 3)))
            .collect();
        format!("{} The largest: {}.", sums(section), told.join("; "))
    }

    fn plot(&self, of: Subject<'_>) -> Result<Plot> {
        matrix(of).map(Plot::from)
    }

    fn tables(&self, of: Subject<'_>) -> Result<Vec<Table>> {
        let section = pair(of.result)?;
        let width = section.components.len().max(1);
        let row = |(index, value): (usize, &f32)| {
            let (query, key) = (section.components[index / width], section.components[index % width]);
            let label = |component: Component, side| match component {
                Component::QueryBias | Component::KeyBias => Component::bias(side),
                other => other,
            };
            vec![
                Field::Text(label(query, Side::Query).label()),
                Field::Text(label(key, Side::Key).label()),
                Field::Single(*value),
            ]
        };
        let columns = [Side::Query, Side::Key].map(|side| format!("{side} side"));
        let pairs = Table {
            name: PAIRS,
            title: title(section),
            caption: sums(section),
            columns: columns.into_iter().chain(["contribution".to_owned()]).collect(),
            rows: section.table.data().iter().enumerate().map(row).collect(),
        };
        Ok(vec![by_layer(&matrix(of)?), pairs])
    }

    fn is_short(&self, table: &str) -> bool {
        table != PAIRS
    }

    fn script(&self, of: Subject<'_>, theme: &Theme) -> Result<Script> {
        let section = pair(of.result)?;
        let mut script = script::of_matrix(Kind::Table, &matrix(of)?, theme);
        script.comment("Which components stand in each row and column.");
        let groups = groups(&section.components);
        let rows = groups.iter().map(|group| format!("{group:?}"));
        script.rows("GROUPS", &rows.collect::<Vec<_>>());
        Ok(script)
    }
}
