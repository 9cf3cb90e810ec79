//! The directions of a head's score: the contribution of each group of directions, and both sides of the opened one.

use super::component_map::component_map;
use super::consequence_words::{DirectionGroup, describe_directions, ends_name, groups_by_size};
use super::script::{self, MatrixKind};
use super::words::{head_title, pair_words};
use crate::analysis::Heatmap;
use crate::analysis::pair::{DirectionExtremes, DirectionsSection, TokenValue};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{Component, FigureName, Side};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("directions");
/// The query side of the direction that is opened.
const QUERY_SIDE: FigureName = FigureName::new("direction_query");
/// Its key side.
const KEY_SIDE: FigureName = FigureName::new("direction_key");
/// The name of the terms with biases among the directions.
const BIASES: &str = "b";
/// Number of groups and components to list.
const LISTED: usize = 3;

/// What each group of directions adds, and what they add up to.
pub struct HeadDirections;

/// What each component adds on one side along the direction that is opened.
pub struct DirectionSides;

fn section(result: &ResultFile) -> Result<&DirectionsSection> {
    result
        .directions()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no directions"))
}

/// The score that the directions add up to, for titles.
fn of_score(result: &ResultFile, section: &DirectionsSection) -> String {
    let (dest, src) = pair_words(result, section.dest, section.src);
    let score = match section.relative {
        Some(_) => "relative score",
        None => "score",
    };
    format!("the {score} of {} from {dest} to {src}", head_title(section.head))
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let groups = groups_by_size(section);
    let biases: f64 = section.biases.data().iter().map(|bias| f64::from(*bias)).sum();
    let last = groups.last().map_or(0.0, |group| group.so_far);
    let description = |name: &str, value: f32, so_far: f32| {
        vec![
            name.to_owned(),
            format!("adds {}", number(f64::from(value), 4)),
            format!("so far {}", number(f64::from(so_far), 4)),
        ]
    };
    let biases = biases as f32;
    let of_group = |group: &DirectionGroup| (format!("direction {}", group.name()), group.value, group.so_far);
    let columns: Vec<(String, f32, f32)> = groups.iter().map(of_group).collect();
    let columns: Vec<_> = columns
        .into_iter()
        .chain([("biases".to_owned(), biases, last + biases)])
        .collect();
    let row = |read: fn(f32, f32) -> f32| {
        let cells = columns.iter().map(|(name, value, so_far)| {
            let shown = read(*value, *so_far);
            Some(MatrixCell {
                value: shown,
                label: number(f64::from(shown), 2),
                lines: description(name, *value, *so_far),
            })
        });
        cells.collect::<Vec<_>>()
    };
    let cells = vec![row(|value, _| value), row(|_, so_far| so_far)];
    let sizes = cells.iter().flatten().flatten().map(|cell| f64::from(cell.value).abs());
    let opened = groups.iter().position(|group| group.has(section.opened.direction));
    Ok(MatrixPlot {
        title: format!("Directions of {}", of_score(subject.result, section)),
        x_label: "Directions, the largest first; biases".into(),
        y_label: "To the score".into(),
        rows: ["adds", "so far"].map(str::to_owned).to_vec(),
        columns: groups
            .iter()
            .map(DirectionGroup::name)
            .chain([BIASES.to_owned()])
            .collect(),
        colors: Colors::Diverging(sizes.fold(0.0, f64::max)),
        cells: cells.into(),
        pick: opened.map(|column| (0, column)),
    })
}

impl FigureKind for HeadDirections {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.directions().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "So what?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Along which directions does the head look?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "W_Q and W_K together read a pair of tokens along a few directions, the singular vectors of W_Q W_K^T: the score is the sum of what each \
         adds, and of terms with biases. Directions whose singular values are nearly the same stand as one group."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Directions of the head".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = section(subject.result) else {
            return "There are no directions.".into();
        };
        let groups = groups_by_size(section).into_iter().take(LISTED);
        let description = groups.map(|group| format!("{} {}", group.name(), number(f64::from(group.value), 3)));
        format!(
            "{} The largest: {}.",
            describe_directions(section),
            description.collect::<Vec<_>>().join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let mut so_far = 0.0;
        let rows = section.of_groups().into_iter().map(|(first, count, value)| {
            so_far += f64::from(value);
            vec![
                Field::Count(first),
                Field::Count(count),
                section
                    .values
                    .data()
                    .get(first)
                    .map_or(Field::Empty, |value| Field::Single(*value)),
                Field::Single(value),
                Field::Double(so_far),
            ]
        });
        let title = format!("Directions of {}", of_score(subject.result, section));
        let groups = Table {
            name: "groups",
            title: title.clone(),
            caption: describe_directions(section),
            columns: ["first", "count", "singular_value", "contribution", "so_far"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        };
        let [of_query, of_key] = [Component::QueryBias, Component::KeyBias].map(Component::label);
        let terms = [
            format!("queries with {of_key}"),
            format!("{of_query} with keys"),
            format!("{of_query} with {of_key}"),
        ];
        let biases = terms.into_iter().zip(section.biases.data());
        let biases = Table {
            name: "biases",
            title: title.clone(),
            caption: "What the terms with biases add.".into(),
            columns: ["term", "contribution"].map(str::to_owned).to_vec(),
            rows: biases
                .map(|(term, value)| vec![Field::Text(term), Field::Single(*value)])
                .collect(),
        };
        let opened = (!section.opened.tokens.is_empty()).then(|| tokens(title, section));
        Ok([groups, biases].into_iter().chain(opened).collect())
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let mut script = script::of_matrix(MatrixKind::Directions, &matrix(subject)?, theme);
        script.comment("The first direction of each group, and how many it has.");
        let groups = groups_by_size(section(subject.result)?);
        let groups = groups.iter().map(|group| format!("({}, {})", group.first, group.count));
        script.rows("GROUPS", &groups.collect::<Vec<_>>());
        Ok(script)
    }
}

/// The tokens of the direction that is opened.
fn tokens(title: String, section: &DirectionsSection) -> Table {
    let end = |extremes: &DirectionExtremes, end: &'static str, tokens: &[TokenValue]| {
        let name = ends_name(extremes.matrix, extremes.side);
        let row = |token: &TokenValue| {
            vec![
                Field::Text(name.clone()),
                Field::Text(end.to_owned()),
                Field::Text(token.text.clone()),
                Field::Single(token.value),
            ]
        };
        tokens.iter().map(row).collect::<Vec<_>>()
    };
    let rows = section.opened.tokens.iter();
    let rows = rows.flat_map(|extremes| {
        [
            end(extremes, "along", &extremes.along),
            end(extremes, "against", &extremes.against),
        ]
        .concat()
    });
    Table {
        name: "tokens",
        title,
        caption: format!(
            "The tokens whose rows point most along direction {} and against it, with their cosines.",
            section.opened.direction
        ),
        columns: ["rows", "end", "token", "cosine"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// The side that the figure `name` shows.
fn side(name: FigureName) -> Side {
    match name {
        KEY_SIDE => Side::Key,
        _ => Side::Query,
    }
}

/// What each component adds along the direction on one side of the score, as a heatmap, and its title.
fn side_map(subject: Subject<'_>) -> Result<(Heatmap, String)> {
    let section = section(subject.result)?;
    let opened = &section.opened;
    let (values, at) = match side(subject.name) {
        Side::Query => (&opened.query, section.dest),
        Side::Key => (&opened.key, section.src),
    };
    let (at, _) = pair_words(subject.result, at, at);
    let title = format!(
        "What was written at {at} adds along direction {} of {} ({} side)",
        opened.direction,
        head_title(section.head),
        side(subject.name)
    );
    Ok((
        Heatmap::of_one(opened.components.clone(), values.data().to_vec()),
        title,
    ))
}

fn side_matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let (heatmap, title) = side_map(subject)?;
    let direction = section(subject.result)?.opened.direction;
    let lines = |component: Component, value: f32| {
        vec![
            component.name(),
            format!("adds {} along direction {direction}", number(f64::from(value), 4)),
        ]
    };
    Ok(component_map(title, &heatmap, lines))
}

impl FigureKind for DirectionSides {
    fn names(&self) -> &'static [FigureName] {
        &[QUERY_SIDE, KEY_SIDE]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.directions().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "So what?"
    }

    fn heading(&self, name: FigureName) -> &'static str {
        match side(name) {
            Side::Query => "Who writes along the direction at the query?",
            Side::Key => "Who writes along the direction at the key?",
        }
    }

    fn explanation(&self, name: FigureName, _view: &View) -> String {
        let (one, other) = match side(name) {
            Side::Query => (Side::Query, Side::Key),
            Side::Key => (Side::Key, Side::Query),
        };
        format!(
            "What every head and MLP before it wrote at the {one}'s token adds along the direction that is opened, times the {other} as it is. \
             Blue raises the score, red lowers it."
        )
    }

    fn title(&self, name: FigureName) -> String {
        format!("Writers along a direction, {} side", side(name))
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok((heatmap, title)) = side_map(subject) else {
            return "There are no directions.".into();
        };
        let mut writers: Vec<(&Component, &f32)> = heatmap.components.iter().zip(heatmap.mean.data()).collect();
        sort_descending(&mut writers, |writer| writer.1.abs());
        let description = writers.iter().take(LISTED);
        let description =
            description.map(|(component, value)| format!("{} {}", component.name(), number(f64::from(**value), 3)));
        format!("{title}. The largest: {}.", description.collect::<Vec<_>>().join(", "))
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        side_matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let (heatmap, title) = side_map(subject)?;
        let row = |(component, value): (&Component, &f32)| {
            vec![
                Field::Text(component.label()),
                Field::Text(component.name()),
                Field::Single(*value),
            ]
        };
        Ok(vec![Table {
            name: "components",
            title,
            caption: format!(
                "A row per component; they add up to {}.",
                number(f64::from(heatmap.sum), 4)
            ),
            columns: ["component", "name", "contribution"].map(str::to_owned).to_vec(),
            rows: heatmap.components.iter().zip(heatmap.mean.data()).map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let mut script = script::of_matrix(MatrixKind::Direction, &side_matrix(subject)?, theme);
        script.texts(&[("SIDE", side(subject.name).as_str())]);
        script::components(&mut script, &side_map(subject)?.0);
        Ok(script)
    }
}
