//! The grid of a heatmap: the component in each row and column.
//!
//! Row `misc` holds W_E, W_pos and the bias of the map in its first three columns; every other row is a layer, with a
//! column for each head, one for the MLP and one for b_O. Links and result files refer to cells by the indices of row
//! and column.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::component::{B_O, MLP};
use super::{Component, Head, Side, UnknownName};

const EMBEDDINGS: &str = "misc";
const HEAD: &str = "L.";

/// A row of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Row {
    /// The embeddings and biases, which belong to no layer: written "misc".
    Embeddings,
    /// A layer, by its number: "9".
    Layer(usize),
    /// An unknown row of another program's file.
    Other(UnknownName),
}

/// A column of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Column {
    /// A head of every layer: "L.7".
    Head(usize),
    /// The MLP of every layer, "MLP".
    Mlp,
    /// The attention output bias of every layer, "b_O".
    AttentionBias,
    /// An unknown column of another program's file.
    Other(UnknownName),
}

impl From<&str> for Row {
    fn from(text: &str) -> Self {
        let found = match text {
            EMBEDDINGS => Some(Self::Embeddings),
            _ => text.parse().ok().map(Self::Layer),
        };
        let same = found.filter(|found| found.to_string() == text);
        same.unwrap_or_else(|| Self::Other(UnknownName::new(text)))
    }
}

impl From<&str> for Column {
    fn from(text: &str) -> Self {
        let found = match text {
            MLP => Some(Self::Mlp),
            B_O => Some(Self::AttentionBias),
            _ => text
                .strip_prefix(HEAD)
                .and_then(|head| head.parse().ok())
                .map(Self::Head),
        };
        let same = found.filter(|found| found.to_string() == text);
        same.unwrap_or_else(|| Self::Other(UnknownName::new(text)))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embeddings => f.pad(EMBEDDINGS),
            Self::Layer(layer) => layer.fmt(f),
            Self::Other(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(head) => f.pad(&format!("{HEAD}{head}")),
            Self::Mlp => f.pad(MLP),
            Self::AttentionBias => f.pad(B_O),
            Self::Other(name) => name.fmt(f),
        }
    }
}

impl From<String> for Row {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Column {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Row> for String {
    fn from(row: Row) -> Self {
        row.to_string()
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        column.to_string()
    }
}

/// The name of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellName {
    /// A component.
    Component(Component),
    /// An unknown cell of another program's file, named by its row and column.
    Other(Row, Column),
}

impl CellName {
    /// The short form: "9.3", "MLP6", "W_E".
    pub fn label(&self) -> String {
        match self {
            Self::Component(component) => component.label(),
            Self::Other(row, Column::Head(head)) => format!("{row}.{head}"),
            Self::Other(row, column) => format!("{column}{row}"),
        }
    }

    /// The long form: "head 9.3", "MLP 6", "W_E (token embedding)".
    pub fn name(&self) -> String {
        match self {
            Self::Component(component) => component.name(),
            Self::Other(row, Column::Head(head)) => format!("head {row}.{head}"),
            Self::Other(row, Column::AttentionBias) => format!("{B_O} of layer {row}"),
            Self::Other(row, column) => format!("{column} {row}"),
        }
    }

    /// The prefix of its short form before the layer: "MLP" of "MLP6". None where the layer comes first or there is
    /// none.
    pub fn without_layer(&self) -> Option<String> {
        match self {
            Self::Component(Component::Mlp(_)) => Some(MLP.to_owned()),
            Self::Component(Component::AttentionBias(_)) => Some(B_O.to_owned()),
            Self::Component(
                Component::TokenEmbedding
                | Component::PositionEmbedding
                | Component::QueryBias
                | Component::KeyBias
                | Component::Head(_),
            )
            | Self::Other(_, Column::Head(_)) => None,
            Self::Other(_, column) => Some(column.to_string()),
        }
    }

    /// The component, if it is known.
    pub fn component(&self) -> Option<Component> {
        match self {
            Self::Component(component) => Some(*component),
            Self::Other(..) => None,
        }
    }
}

/// Rows and columns of a heatmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid<'a> {
    /// The rows from the top.
    pub rows: &'a [Row],
    /// The columns from the left.
    pub columns: &'a [Column],
}

impl Grid<'_> {
    /// The rows for a head in layer `layers`: `misc`, then the layers before it.
    pub fn rows(layers: usize) -> Vec<Row> {
        std::iter::once(Row::Embeddings)
            .chain((0..layers).map(Row::Layer))
            .collect()
    }

    /// The columns of a model with `heads` heads per layer: its heads, `MLP`, `b_O`.
    pub fn columns(heads: usize) -> Vec<Column> {
        let heads = (0..heads).map(Column::Head);
        heads.chain([Column::Mlp, Column::AttentionBias]).collect()
    }

    /// The name of the cell in row and column `place`, for components of `side`; None for an empty cell.
    pub fn cell(self, side: Side, place: (usize, usize)) -> Option<CellName> {
        let (row, column) = (self.rows.get(place.0)?, self.columns.get(place.1)?);
        let component = match (row, column) {
            (Row::Embeddings, _) => of_no_layer(side).get(place.1).copied()?,
            (Row::Layer(layer), Column::Head(head)) => Component::Head(Head::new(*layer, *head)),
            (Row::Layer(layer), Column::Mlp) => Component::Mlp(*layer),
            (Row::Layer(layer), Column::AttentionBias) => Component::AttentionBias(*layer),
            (Row::Other(_), _) | (Row::Layer(_), Column::Other(_)) => {
                return Some(CellName::Other(row.clone(), column.clone()));
            }
        };
        Some(CellName::Component(component))
    }

    /// Row and column of `component`; None where the grid does not contain it.
    pub fn place(self, component: Component) -> Option<(usize, usize)> {
        let row = |wanted: Row| self.rows.iter().position(|row| *row == wanted);
        let column = |wanted: Column| self.columns.iter().position(|column| *column == wanted);
        let of_no_layer = |index: usize| (index < self.columns.len()).then_some(index);
        Some(match component {
            Component::TokenEmbedding => (row(Row::Embeddings)?, of_no_layer(0)?),
            Component::PositionEmbedding => (row(Row::Embeddings)?, of_no_layer(1)?),
            Component::QueryBias | Component::KeyBias => (row(Row::Embeddings)?, of_no_layer(2)?),
            Component::Head(head) => (row(Row::Layer(head.layer))?, column(Column::Head(head.head))?),
            Component::Mlp(layer) => (row(Row::Layer(layer))?, column(Column::Mlp)?),
            Component::AttentionBias(layer) => (row(Row::Layer(layer))?, column(Column::AttentionBias)?),
        })
    }
}

/// The components in row `misc`.
const fn of_no_layer(side: Side) -> [Component; 3] {
    [
        Component::TokenEmbedding,
        Component::PositionEmbedding,
        Component::bias(side),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_read_as_they_are_written() {
        let (rows, columns) = (Grid::rows(2), Grid::columns(2));
        let texts: Vec<String> = rows.iter().map(Row::to_string).collect();
        assert_eq!(texts, ["misc", "0", "1"]);
        assert_eq!(texts.into_iter().map(Row::from).collect::<Vec<_>>(), rows);
        let texts: Vec<String> = columns.iter().map(Column::to_string).collect();
        assert_eq!(texts, ["L.0", "L.1", "MLP", "b_O"]);
        assert_eq!(texts.into_iter().map(Column::from).collect::<Vec<_>>(), columns);
        let json = serde_json::to_string(&(&rows, &columns)).expect("is written");
        assert_eq!(json, r#"[["misc","0","1"],["L.0","L.1","MLP","b_O"]]"#);
    }

    #[test]
    fn foreign_rows_and_columns_stand_for_themselves() {
        for text in ["", "total", "01", "-1", "+1", " 1"] {
            assert_eq!(Row::from(text), Row::Other(UnknownName::new(text)));
            assert_eq!(Row::from(text).to_string(), text);
        }
        for text in ["", "L.", "L.x", "L.01", "MLP0", "b_V"] {
            assert_eq!(Column::from(text), Column::Other(UnknownName::new(text)));
            assert_eq!(Column::from(text).to_string(), text);
        }
        let (rows, columns) = (
            ["misc", "1", "all"].map(Row::from),
            ["x", "L.0", "MLP", "b_O"].map(Column::from),
        );
        let grid = Grid {
            rows: &rows,
            columns: &columns,
        };
        let names = |place| {
            let cell = grid.cell(Side::Key, place).expect("a cell");
            (cell.label(), cell.name(), cell.component().is_some())
        };
        let own = |label: &str, name: &str, ours| (label.to_owned(), name.to_owned(), ours);
        assert_eq!(names((0, 0)), own("W_E", "W_E (token embedding)", true));
        assert_eq!(names((1, 0)), own("x1", "x 1", false));
        assert_eq!(names((1, 1)), own("1.0", "head 1.0", true));
        assert_eq!(names((2, 1)), own("all.0", "head all.0", false));
        assert_eq!(names((2, 2)), own("MLPall", "MLP all", false));
        assert_eq!(names((2, 3)), own("b_Oall", "b_O of layer all", false));
        let short = |place| grid.cell(Side::Key, place).and_then(|cell| cell.without_layer());
        assert_eq!([short((0, 0)), short((1, 1)), short((2, 1))], [None, None, None]);
        let texts = [(1, 0), (1, 2), (1, 3), (2, 2)].map(|place| short(place).unwrap_or_default());
        assert_eq!(texts, ["x", "MLP", "b_O", "MLP"]);
    }

    #[test]
    fn every_component_is_found_where_it_stands() {
        for heads in [1, 3] {
            let (rows, columns) = (Grid::rows(2), Grid::columns(heads));
            let grid = Grid {
                rows: &rows,
                columns: &columns,
            };
            for side in Side::ALL {
                let places = (0..rows.len()).flat_map(|row| (0..columns.len()).map(move |column| (row, column)));
                let filled: Vec<_> = places
                    .filter_map(|place| Some((place, grid.cell(side, place)?.component().expect("ours"))))
                    .collect();
                assert_eq!(filled.len(), 3 + 2 * (heads + 2));
                for (place, component) in filled {
                    assert_eq!(grid.place(component), Some(place), "{component}");
                }
                assert_eq!(
                    grid.cell(side, (0, 2)),
                    Some(CellName::Component(Component::bias(side)))
                );
                assert_eq!(grid.cell(side, (0, 3)), None);
            }
            assert_eq!(grid.place(Component::Mlp(2)), None);
            assert_eq!(grid.place(Component::Head(Head::new(0, heads))), None);
            assert_eq!(grid.cell(Side::Key, (3, 0)), None);
        }
    }
}
