//! Which directions of the head recur over the prompts: the mean of what each adds, and in how many prompts it is among those that make
//! most of the score.

use super::words::{self, RecurringGroup};
use crate::analysis::{GroupsOverPrompts, RunDirectionsSection};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table, hex};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::sentence::words::percent;
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{DotsBand, DotsPlot, DotsRow, OF_NO_VECTOR, Plot, Theme};
use crate::quantities::{counted, grouped, number};

const NAME: FigureName = FigureName::new("recurring_directions");
/// The same of the relative score.
const RELATIVE: FigureName = FigureName::new("recurring_directions_relative");
/// What follows the constants of the script.
const BODY: &str = include_str!("directions.py");
/// Most groups that are drawn: those whose means are largest by size.
const DRAWN: usize = 20;
/// Number of the color of all bars.
const COLOR: usize = OF_NO_VECTOR[0];

/// A bar for each group of directions.
pub struct RecurringDirections;

fn section(subject: Subject<'_>) -> Result<(&RunDirectionsSection, &GroupsOverPrompts)> {
    let section = subject
        .result
        .run_directions()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no directions over its prompts"))?;
    Ok((section, of_name(section, subject.name)))
}

fn of_name(section: &RunDirectionsSection, name: FigureName) -> &GroupsOverPrompts {
    match name {
        RELATIVE => &section.relative,
        _ => &section.score,
    }
}

/// What the directions add up to.
fn score(name: FigureName) -> &'static str {
    match name {
        RELATIVE => "relative score",
        _ => "score",
    }
}

fn title(subject: Subject<'_>) -> Result<String> {
    let (section, _) = section(subject)?;
    let prompts = counted(section.prompts, "prompt", "prompts");
    Ok(format!(
        "Directions of the {} of head {} over {prompts}",
        score(subject.name),
        section.head
    ))
}

fn dots(subject: Subject<'_>) -> Result<DotsPlot> {
    let (section, groups) = section(subject)?;
    let row = |group: RecurringGroup| {
        let mean = f64::from(group.mean);
        let deviation = group.deviation.map(f64::from);
        let share = percent(group.share(section.prompts));
        let lines = [
            Some(format!("direction {}", group.name())),
            Some(format!("adds {} on average", number(mean, 4))),
            deviation.map(|deviation| format!("standard deviation {}", number(deviation, 4))),
            Some(format!(
                "among those of nine tenths in {} of {}",
                grouped(group.explaining),
                counted(section.prompts, "prompt", "prompts")
            )),
        ];
        DotsRow {
            label: group.name(),
            color: COLOR,
            value: mean,
            number: share,
            spread: deviation.map(|deviation| (mean - deviation, mean + deviation)),
            band: Some(DotsBand {
                range: (mean.min(0.0), mean.max(0.0)),
                mean,
            }),
            lines: lines.into_iter().flatten().collect(),
        }
    };
    Ok(DotsPlot {
        title: title(subject)?,
        x_label: "Mean added to the score \u{b1} standard deviation; right: share of prompts".into(),
        rows: words::by_size(section, groups)
            .into_iter()
            .take(DRAWN)
            .map(row)
            .collect(),
        reference: (0.0, "0".into()),
        range: None,
    })
}

impl FigureKind for RecurringDirections {
    fn names(&self) -> &'static [FigureName] {
        &[NAME, RELATIVE]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.run_directions().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Along which directions does it look, prompt by prompt?"
    }

    fn heading(&self, name: FigureName) -> &'static str {
        match name {
            RELATIVE => "And which make it look there rather than elsewhere?",
            _ => "Which directions of the head recur?",
        }
    }

    fn explanation(&self, name: FigureName, _view: &View) -> String {
        let what = match name {
            RELATIVE => "The same of the score minus the mean of all scores of the row, weighted by the attention.",
            _ => {
                "W_Q and W_K together read a pair of tokens along a few directions, the singular vectors of W_Q W_K^T: the score is the sum of \
                 what each adds, and of terms with biases. Directions whose singular values are nearly the same stand as one group."
            }
        };
        format!(
            "{what} A bar is the mean over the prompts, the line its standard deviation, the number in how many prompts the direction is among \
             the fewest that make up nine tenths of the sizes of all. The {DRAWN} largest by size."
        )
    }

    fn title(&self, name: FigureName) -> String {
        match name {
            RELATIVE => "Directions of the relative score over the prompts".into(),
            _ => "Directions of the score over the prompts".into(),
        }
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        match section(subject) {
            Ok((section, groups)) => words::directions(section, groups, score(subject.name)).join(" "),
            Err(_) => "Nothing is known of the head's directions.".into(),
        }
    }

    fn description(&self, subject: Subject<'_>) -> Vec<String> {
        let description =
            section(subject).map(|(section, groups)| words::directions(section, groups, score(subject.name)));
        description.unwrap_or_default()
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        dots(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let (section, groups) = section(subject)?;
        let deviations = groups.deviation.as_ref().map(crate::analysis::Array::data);
        let row = |(index, (first, count)): (usize, (usize, usize))| {
            let single =
                |values: &[f32], place: usize| values.get(place).map_or(Field::Empty, |value| Field::Single(*value));
            vec![
                Field::Count(first),
                Field::Count(count),
                single(section.values.data(), first),
                single(groups.mean.data(), index),
                single(deviations.unwrap_or_default(), index),
                groups
                    .explaining
                    .get(index)
                    .map_or(Field::Empty, |count| Field::Count(*count)),
            ]
        };
        let biases = groups.biases.data().iter().map(|bias| f64::from(*bias)).sum::<f64>();
        let columns = [
            "first",
            "count",
            "singular_value",
            "mean",
            "standard deviation",
            "prompts",
        ];
        Ok(vec![Table {
            name: "groups",
            title: title(subject)?,
            caption: format!(
                "A row per group of directions; the last column has the prompts in which it is among the fewest that make up nine tenths. Biases \
                 add {} on average; all add up to {}.",
                number(biases, 4),
                number(f64::from(groups.mean_score), 4)
            ),
            columns: columns.map(str::to_owned).to_vec(),
            rows: section.ranges().into_iter().enumerate().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let plot = dots(subject)?;
        let mut script = Script::new("", BODY);
        let field = match subject.name {
            RELATIVE => "relative",
            _ => "score",
        };
        script.comment("Which of the sums of the section, and how many groups are drawn at most.");
        script.texts(&[("OF", field), ("TITLE", &plot.title), ("X_LABEL", &plot.x_label)]);
        script.line("DRAWN", &DRAWN.to_string());
        script.line("COLOR", &hex(theme.series_color(COLOR)));
        script.colors(theme);
        Ok(script)
    }
}
