//! One side of a score: the contribution of every component of the query, or of the key.

use super::component_map::component_map;
use super::keys::{SIDE, take_side, write_side};
use super::script::{self, MatrixKind};
use super::words::{head_title, pair, pair_words};
use crate::analysis::pair::{key_side, query_side};
use crate::analysis::{Heatmap, PairSection};
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{Component, FigureName, Side};
use crate::plot::{MatrixPlot, Plot, Theme};
use crate::quantities::number;

const NAME: FigureName = FigureName::new("writers");
/// Number of components to list.
const LISTED: usize = 4;

/// What each component adds on the side that is chosen.
pub struct Writers;

/// What each component on `side` of `section` adds, in the order of the table, with the side's own bias.
pub fn of_side(section: &PairSection, side: Side) -> Vec<(Component, f32)> {
    let sums = match side {
        Side::Query => query_side(&section.table),
        Side::Key => key_side(&section.table),
    };
    let own = |component: &Component| match component {
        Component::QueryBias | Component::KeyBias => Component::bias(side),
        other => *other,
    };
    section.components.iter().map(own).zip(sums).collect()
}

/// The component in the cell at `place` (row and column) of the map of `side`; None where there is none.
pub fn writer_at(section: &PairSection, side: Side, place: (usize, usize)) -> Option<Component> {
    let heatmap = heatmap(section, side);
    let index = heatmap.index_at(place)?;
    heatmap.components.get(index).copied()
}

fn heatmap(section: &PairSection, side: Side) -> Heatmap {
    let (components, sums): (Vec<Component>, Vec<f32>) = of_side(section, side).into_iter().unzip();
    Heatmap::of_one(components, sums)
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let (section, side) = (pair(subject.result)?, subject.view.sentence.side);
    let lines = |component: Component, value: f32| {
        vec![
            component.name(),
            format!("adds {}", number(f64::from(value), 4)),
            format!("of {}", number(f64::from(section.score), 4)),
        ]
    };
    Ok(component_map(title(subject)?, &heatmap(section, side), lines))
}

fn title(subject: Subject<'_>) -> Result<String> {
    let (section, side) = (pair(subject.result)?, subject.view.sentence.side);
    let (dest, src) = pair_words(subject.result, section.dest, section.src);
    let at = match side {
        Side::Query => dest,
        Side::Key => src,
    };
    Ok(format!(
        "What was written at {at} adds to the score of {} ({side} side)",
        head_title(section.head)
    ))
}

impl FigureKind for Writers {
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
        "Who wrote what the head reads?"
    }

    fn explanation(&self, _name: FigureName, view: &View) -> String {
        match view.sentence.side {
            Side::Key => "What every head and MLP before it wrote at the key's token, times the query as it is. Blue raises the score, red lowers it.",
            Side::Query => "What every head and MLP before it wrote at the query's token, times the key as it is. Blue raises the score, red lowers it.",
        }
        .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Writers of the score".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = pair(subject.result) else {
            return "There is no decomposition of a score.".into();
        };
        let side = subject.view.sentence.side;
        let mut writers = of_side(section, side);
        sort_descending(&mut writers, |writer| writer.1.abs());
        let description: Vec<String> = writers
            .iter()
            .take(LISTED)
            .map(|(component, value)| format!("{} {}", component.name(), number(f64::from(*value), 3)))
            .collect();
        format!(
            "{} components on the {side} side add up to {}; the largest: {}.",
            writers.len(),
            number(f64::from(section.score), 4),
            description.join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let (section, side) = (pair(subject.result)?, subject.view.sentence.side);
        let row = |(component, value): (Component, f32)| {
            vec![
                Field::Text(component.label()),
                Field::Text(component.name()),
                Field::Single(value),
            ]
        };
        Ok(vec![Table {
            name: "components",
            title: title(subject)?,
            caption: format!(
                "A row per component; they add up to {}.",
                number(f64::from(section.score), 4)
            ),
            columns: ["component", "name", "contribution"].map(str::to_owned).to_vec(),
            rows: of_side(section, side).into_iter().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let (section, side) = (pair(subject.result)?, subject.view.sentence.side);
        let mut script = script::of_matrix(MatrixKind::Writers, &matrix(subject)?, theme);
        script.texts(&[("SIDE", side.as_str()), ("BIAS", &Component::bias(side).label())]);
        script::components(&mut script, &heatmap(section, side));
        Ok(script)
    }

    fn is_key(&self, key: &str) -> bool {
        key == SIDE
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_side(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_side(view, query);
    }
}
