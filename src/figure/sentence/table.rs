//! Both sides of a score at once: the products of the components of the query with those of the key, by layer.

use super::keys;
use super::script::{self, MatrixKind};
use super::view::{ComponentGroup, SentenceView};
use super::words::{component_name, head_title, largest_pairs, pair, pair_words, sums};
use crate::analysis::PairSection;
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{Component, FigureName, Side};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::{counted, number};

const NAME: FigureName = FigureName::new("table");
/// The table with every pair of components.
const PAIRS: &str = "pairs";
/// Number of pairs of components to list.
const LISTED: usize = 3;

/// The table of both sides, its components by layer.
pub struct Both;

/// What stands in one row or column.
struct Line {
    /// Places of its components in [`PairSection::components`].
    members: Vec<usize>,
    /// The group that it is, or that it is unfolded from; None for the bias of its side.
    group: Option<ComponentGroup>,
    name: String,
}

impl Line {
    /// Whether it is one of the components that its group was unfolded into.
    fn is_unfolded(&self, unfolded: Option<ComponentGroup>) -> bool {
        self.group.is_some() && self.group == unfolded
    }
}

/// The group that `component` belongs to; None for the bias of a side.
fn group_of(component: Component) -> Option<ComponentGroup> {
    match component {
        Component::QueryBias | Component::KeyBias => None,
        other => Some(other.layer().map_or(ComponentGroup::Embeddings, ComponentGroup::Layer)),
    }
}

/// The rows (query side) or columns (key side): the embeddings, each layer, the bias; of `unfolded` every component.
fn lines(components: &[Component], side: Side, unfolded: Option<ComponentGroup>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (index, &component) in components.iter().enumerate() {
        let group = group_of(component);
        let opened = group.is_some() && group == unfolded;
        match lines.last_mut().filter(|last| last.group == group && !opened) {
            Some(line) => line.members.push(index),
            None => lines.push(Line {
                members: vec![index],
                group,
                name: match group {
                    Some(_) if opened => component.label(),
                    Some(group) => group.to_string(),
                    None => Component::bias(side).to_string(),
                },
            }),
        }
    }
    lines
}

/// The groups that can be unfolded in the table of `section`.
pub fn groups(section: &PairSection) -> Vec<ComponentGroup> {
    let lines = lines(&section.components, Side::Query, None);
    lines.into_iter().filter_map(|line| line.group).collect()
}

/// What is unfolded once the cell in `row` and `column` of the table is picked: the groups of both, that are folded; where neither is,
/// nothing.
pub fn unfolded_at(section: &PairSection, view: SentenceView, (row, column): (usize, usize)) -> SentenceView {
    let (mut next, mut folded) = (view, false);
    for (side, index) in [(Side::Query, row), (Side::Key, column)] {
        let unfolded = view.unfolded(side);
        let lines = lines(&section.components, side, unfolded);
        if let Some(line) = lines
            .get(index)
            .filter(|line| line.group.is_some() && !line.is_unfolded(unfolded))
        {
            next.unfold(side, line.group);
            folded = true;
        }
    }
    if !folded {
        Side::ALL.into_iter().for_each(|side| next.unfold(side, None));
    }
    next
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = pair(subject.result)?;
    let (components, width) = (&section.components, section.components.len());
    let (dest, src) = pair_words(subject.result, section.dest, section.src);
    let view = subject.view.sentence;
    let lines = |side| lines(components, side, view.unfolded(side));
    let (rows, columns) = (lines(Side::Query), lines(Side::Key));
    let cell = |row: &Line, column: &Line| {
        let pairs = row
            .members
            .iter()
            .flat_map(|&m| column.members.iter().map(move |&n| (m, n)));
        let values = pairs
            .clone()
            .map(|(m, n)| f64::from(section.table.data()[m * width + n]));
        let value: f64 = values.sum();
        let largest = pairs.max_by(|left, right| {
            let size = |&(m, n): &(usize, usize)| section.table.data()[m * width + n].abs();
            size(left).total_cmp(&size(right))
        });
        let mut lines = vec![
            format!("query side {}, key side {}", row.name, column.name),
            format!(
                "{}: {}",
                counted(row.members.len() * column.members.len(), "pair", "pairs"),
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
    let cells: Vec<Vec<_>> = rows
        .iter()
        .map(|row| columns.iter().map(|column| Some(cell(row, column))).collect())
        .collect();
    let sizes = cells.iter().flatten().flatten().map(|cell| f64::from(cell.value).abs());
    Ok(MatrixPlot {
        title: title(section),
        x_label: format!("Key side: {src}, {}", how(view.columns)),
        y_label: format!("Query side: {dest}, {}", how(view.rows)),
        colors: Colors::Diverging(sizes.fold(0.0, f64::max)),
        rows: rows.into_iter().map(|line| line.name).collect(),
        columns: columns.into_iter().map(|line| line.name).collect(),
        cells: cells.into(),
        pick: None,
    })
}

/// How a side is divided, where `unfolded` is.
fn how(unfolded: Option<ComponentGroup>) -> String {
    match unfolded {
        None => "by layer".into(),
        Some(ComponentGroup::Embeddings) => "by layer, the embeddings one by one".into(),
        Some(ComponentGroup::Layer(layer)) => format!("by layer, layer {layer} by component"),
    }
}

/// The table of what is drawn.
fn by_layer(plot: &MatrixPlot) -> Table {
    let row = |(row, name): (usize, &String)| {
        let cell = |column: usize| plot.value(row, column).map_or(Field::Empty, Field::Single);
        let name = Field::Text(name.clone());
        [name].into_iter().chain((0..plot.columns.len()).map(cell)).collect()
    };
    let first = format!("{} side", Side::Query);
    Table {
        name: "layers",
        title: plot.title.clone(),
        caption:
            "A row for what was written at the query's token, a column for what was written at the key's, by layer."
                .into(),
        columns: [first].into_iter().chain(plot.columns.iter().cloned()).collect(),
        rows: plot.rows.iter().enumerate().map(row).collect(),
    }
}

fn title(section: &PairSection) -> String {
    format!("Both sides of the score of {}", head_title(section.head))
}

impl FigureKind for Both {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.pair().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "What makes the score?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "What meets what?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A row for what was written at the query's token, a column for what was written at the key's, by layer: what the two add to the \
         score together. Blue raises it, red lowers it. A cell that is picked unfolds its layers into their components."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Both sides of the score".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = pair(subject.result) else {
            return "There is no decomposition of a score.".into();
        };
        let texts = subject.result.attention().map_or(&[][..], |attention| &attention.texts);
        let description = largest_pairs(section, texts, LISTED).into_iter();
        let description: Vec<String> = description
            .map(|pair| {
                format!(
                    "{} meets {}: {}",
                    pair.query,
                    pair.key,
                    number(f64::from(pair.value), 3)
                )
            })
            .collect();
        format!("{} The largest: {}.", sums(section), description.join("; "))
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = pair(subject.result)?;
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
        Ok(vec![by_layer(&matrix(subject)?), pairs])
    }

    fn is_short(&self, table: &str) -> bool {
        table != PAIRS
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let section = pair(subject.result)?;
        let mut script = script::of_matrix(MatrixKind::Table, &matrix(subject)?, theme);
        script.comment("Which components stand in each row and column.");
        for (name, side) in [("ROW_PARTS", Side::Query), ("COLUMN_PARTS", Side::Key)] {
            let lines = lines(&section.components, side, subject.view.sentence.unfolded(side));
            let parts = lines.iter().map(|line| format!("{:?}", line.members));
            script.rows(name, &parts.collect::<Vec<_>>());
        }
        Ok(script)
    }

    fn is_key(&self, key: &str) -> bool {
        keys::unfolded_side(key).is_some()
    }

    fn take(&self, view: &mut View, key: &str, value: &str) -> Result<()> {
        match keys::unfolded_side(key) {
            Some(side) => keys::take_unfolded(view, side, value),
            None => Ok(()),
        }
    }

    fn write(&self, view: &View, query: &mut Query) {
        keys::write_unfolded(view, query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::kinds_tests::sentence;

    fn unfolded() -> SentenceView {
        SentenceView {
            rows: Some(ComponentGroup::Layer(1)),
            columns: Some(ComponentGroup::Embeddings),
            ..SentenceView::default()
        }
    }

    fn drawn(sentence_view: SentenceView) -> MatrixPlot {
        let view = View {
            sentence: sentence_view,
            ..View::default()
        };
        let result = sentence();
        matrix(Subject {
            name: NAME,
            result: &result,
            view: &view,
        })
        .expect("is drawn")
    }

    fn sum(plot: &MatrixPlot, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> f64 {
        let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        cells
            .map(|(row, column)| f64::from(plot.value(row, column).expect("a cell")))
            .sum()
    }

    #[test]
    fn what_is_unfolded_adds_up_to_what_was_folded() {
        let (folded, unfolded) = (drawn(SentenceView::default()), drawn(unfolded()));
        assert_eq!(folded.rows, ["embed", "0", "1", &Component::QueryBias.label()]);
        assert_eq!(
            unfolded.rows,
            ["embed", "0", "1.0", "1.1", "1.2", "1.3", "MLP1", "b_O1", "b_Q"]
        );
        assert_eq!(unfolded.columns, ["W_E", "W_pos", "0", "1", "b_K"]);
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-4, "{left} and {right}");
        close(sum(&unfolded, 2..8, 0..2), sum(&folded, 2..3, 0..1));
        close(sum(&unfolded, 0..9, 0..5), sum(&folded, 0..4, 0..4));
        assert!(unfolded.y_label.ends_with("layer 1 by component") && folded.y_label.ends_with("by layer"));
    }

    #[test]
    fn a_cell_unfolds_its_row_and_column_and_folds_them_again() {
        let result = sentence();
        let section = pair(&result).expect("a decomposition");
        let at = |view, cell| unfolded_at(section, view, cell);
        let folded = SentenceView::default();
        assert_eq!(at(folded, (2, 0)), unfolded());
        // The bias of a side stays as it is.
        assert_eq!(at(folded, (2, 3)).rows, Some(ComponentGroup::Layer(1)));
        assert_eq!(at(folded, (2, 3)).columns, None);
        // Of an unfolded row, another column.
        let other = at(unfolded(), (4, 3));
        assert_eq!(
            (other.rows, other.columns),
            (unfolded().rows, Some(ComponentGroup::Layer(1)))
        );
        assert_eq!(at(unfolded(), (4, 1)), folded);
        assert_eq!(at(unfolded(), (99, 99)), folded);
        assert_eq!(
            groups(section),
            [
                ComponentGroup::Embeddings,
                ComponentGroup::Layer(0),
                ComponentGroup::Layer(1)
            ]
        );
    }
}
