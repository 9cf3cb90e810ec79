//! The head's attention before and after an intervention.

use super::intervention_words::{description, done, lines};
use super::script::{self, MatrixKind};
use super::words::{head_title, name, pair_words, percent, quoted, visible};
use crate::analysis::pair::{InterventionSection, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("intervention");

/// A row of attention before, and one after each intervention.
pub struct Interventions;

fn section(result: &ResultFile) -> Result<&InterventionSection> {
    result
        .intervention()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no intervention"))
}

fn texts(result: &ResultFile) -> &[String] {
    result.attention().map_or(&[], |section| &section.texts)
}

/// The rows of the figure: what each is called, in short and in words, and its numbers.
fn outcomes<'a>(result: &ResultFile, section: &'a InterventionSection) -> Vec<(String, String, &'a Outcome)> {
    let several = section.effects.len() > 1;
    let after = section.effects.iter().enumerate().map(|(index, effect)| {
        let label = if several {
            format!("after {}", index + 1)
        } else {
            "after".to_owned()
        };
        (label, done(result, &effect.intervention), &effect.after)
    });
    let before = ("before".to_owned(), "As it is".to_owned(), &section.before);
    [before].into_iter().chain(after).collect()
}

fn title(subject: Subject<'_>) -> Result<String> {
    let section = section(subject.result)?;
    let (dest, _) = pair_words(subject.result, section.dest, section.src);
    let what = match &section.effects[..] {
        [effect] => done(subject.result, &effect.intervention),
        effects => format!("{} interventions", effects.len()),
    };
    Ok(format!("{what}: where {} looks from {dest}", head_title(section.head)))
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let texts = texts(subject.result);
    let outcomes = outcomes(subject.result, section);
    let row = |(_, words, outcome): &(String, String, &Outcome)| {
        let cell = |(position, &share): (usize, &f32)| {
            Some(MatrixCell {
                value: share,
                label: percent(share),
                lines: vec![
                    words.clone(),
                    format!("to {} at position {position}", quoted(texts, position)),
                    percent(share),
                ],
            })
        };
        outcome.row.iter().enumerate().map(cell).collect()
    };
    let column = |position: usize| match texts.get(position) {
        Some(text) => name(text),
        None => position.to_string(),
    };
    Ok(MatrixPlot {
        title: title(subject)?,
        x_label: "Token looked at".into(),
        y_label: "Attention".into(),
        rows: outcomes.iter().map(|(label, ..)| label.clone()).collect(),
        columns: (0..=section.dest).map(column).collect(),
        colors: Colors::UpTo(1.0),
        cells: outcomes.iter().map(row).collect::<Vec<_>>().into(),
        pick: None,
    })
}

impl FigureKind for Interventions {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.intervention().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Does it matter?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Where does the head look without it?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "A row for the head's attention as it is, and one with each intervention, recomputed to the end of the model."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Before and after an intervention".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = section(subject.result) else {
            return "There is no intervention.".into();
        };
        let effects = section.effects.iter();
        let description: Vec<String> = effects
            .map(|effect| description(subject.result, section, effect))
            .collect();
        if description.is_empty() {
            "Nothing was put in another's place.".into()
        } else {
            description.join(" ")
        }
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let texts = texts(subject.result);
        let outcomes = outcomes(subject.result, section);
        let labels = || outcomes.iter().map(|(label, ..)| label.clone());
        let attention = |position: usize| {
            let text = texts
                .get(position)
                .map_or(Field::Empty, |text| Field::Text(visible(text)));
            let shares = outcomes
                .iter()
                .map(|(_, _, outcome)| Field::Single(outcome.attention(position)));
            [Field::Count(position), text].into_iter().chain(shares).collect()
        };
        let measures = section.effects.iter().flat_map(|effect| {
            let what = done(subject.result, &effect.intervention);
            lines(section, effect).map(move |line| {
                let predicted = line.predicted.map_or(Field::Empty, Field::Single);
                vec![
                    Field::Text(what.clone()),
                    Field::Text(line.name),
                    Field::Single(line.before),
                    Field::Single(line.after),
                    predicted,
                ]
            })
        });
        let next = outcomes.iter().flat_map(|(label, _, outcome)| {
            outcome.next.iter().map(|next| {
                vec![
                    Field::Text(label.clone()),
                    Field::Count(next.token as usize),
                    Field::Text(visible(&next.text)),
                    Field::Single(next.logprob),
                ]
            })
        });
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Ok(vec![
            Table {
                name: "measures",
                title: title(subject)?,
                caption: "A row per number: as it is, recomputed with the intervention, and as linearly predicted."
                    .into(),
                columns: columns(&["intervention", "measure", "before", "after", "predicted"]),
                rows: measures.collect(),
            },
            Table {
                name: "attention",
                title: title(subject)?,
                caption: "A row per token: how much of the attention goes there.".into(),
                columns: columns(&["position", "token"]).into_iter().chain(labels()).collect(),
                rows: (0..=section.dest).map(attention).collect(),
            },
            Table {
                name: "next",
                title: "The likeliest next tokens".into(),
                caption: "A row per token, the likeliest first.".into(),
                columns: columns(&["when", "id", "token", "log-probability"]),
                rows: next.collect(),
            },
        ])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_matrix(MatrixKind::Intervention, &matrix(subject)?, theme))
    }
}
