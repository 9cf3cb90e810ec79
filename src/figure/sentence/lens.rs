//! The logit lens: the next tokens if the model ended after each of its layers.

use super::consequence_words::{describe_lens, lens_row, token_name};
use super::script::{self, MatrixKind};
use super::words::{pair_words, percent, visible};
use crate::analysis::pair::{LensLayer, LensSection, NextToken};
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::FigureName;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("lens");

/// The likeliest tokens and both targets after each layer.
pub struct Lens;

fn section(result: &ResultFile) -> Result<&LensSection> {
    result
        .lens()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has nothing after each layer"))
}

fn title(result: &ResultFile, section: &LensSection) -> String {
    let (dest, _) = pair_words(result, section.dest, section.dest);
    format!("What would come after {dest} if the model ended after each layer")
}

fn cell(place: usize, text: &str, logprob: f32) -> MatrixCell {
    MatrixCell {
        value: logprob.exp(),
        label: visible(text),
        lines: vec![
            lens_row(place),
            token_name(text),
            format!("probability {}", percent(logprob.exp())),
            format!("log-probability {}", number(f64::from(logprob), 3)),
        ],
    }
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let most = section.layers.iter().map(|layer| layer.tokens.len()).max().unwrap_or(0);
    let row = |(place, layer): (usize, &LensLayer)| {
        let token = |rank: usize| {
            let token = layer.tokens.get(rank)?;
            Some(cell(place, &token.text, token.logprob))
        };
        let targets = [(&section.a, layer.logprob_a), (&section.b, layer.logprob_b)];
        let targets = targets.map(|(target, logprob)| Some(cell(place, &target.text, logprob)));
        (0..most).map(token).chain(targets).collect::<Vec<_>>()
    };
    let ranks = (1..=most).map(|rank| rank.to_string());
    Ok(MatrixPlot {
        title: title(subject.result, section),
        x_label: "Likeliest tokens, and both targets".into(),
        y_label: "After".into(),
        rows: (0..section.layers.len()).map(lens_row).collect(),
        columns: ranks.chain(["a", "b"].map(str::to_owned)).collect(),
        cells: section.layers.iter().enumerate().map(row).collect::<Vec<_>>().into(),
        colors: Colors::UpTo(1.0),
        pick: None,
    })
}

impl FigureKind for Lens {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.lens().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "So what?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "What would come next after each layer?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "The logit lens: the residual stream after each layer through the final LayerNorm and W_U, as if no layer came after it. The last row is \
         what the model says."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "After each layer".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        match section(subject.result) {
            Ok(section) => describe_lens(section),
            Err(_) => "There is nothing after each layer.".into(),
        }
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let title = title(subject.result, section);
        let target = |(place, layer): (usize, &LensLayer)| {
            vec![
                Field::Text(lens_row(place)),
                Field::Single(layer.logprob_a),
                Field::Single(layer.logprob_b),
            ]
        };
        let targets = Table {
            name: "targets",
            title: title.clone(),
            caption: format!(
                "Log-probabilities of {} (a) and {} (b) after each layer.",
                token_name(&section.a.text),
                token_name(&section.b.text)
            ),
            columns: ["after", "logprob_a", "logprob_b"].map(str::to_owned).to_vec(),
            rows: section.layers.iter().enumerate().map(target).collect(),
        };
        let token = |place: usize, (rank, token): (usize, &NextToken)| {
            vec![
                Field::Text(lens_row(place)),
                Field::Count(rank + 1),
                Field::Text(token.text.clone()),
                Field::Single(token.logprob),
            ]
        };
        let tokens = section.layers.iter().enumerate().flat_map(|(place, layer)| {
            let tokens = layer.tokens.iter().enumerate();
            tokens.map(move |subject| token(place, subject))
        });
        let likeliest = Table {
            name: "likeliest",
            title,
            caption: "The likeliest tokens after each layer.".into(),
            columns: ["after", "rank", "token", "logprob"].map(str::to_owned).to_vec(),
            rows: tokens.collect(),
        };
        Ok(vec![targets, likeliest])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        Ok(script::of_matrix(MatrixKind::Lens, &matrix(subject)?, theme))
    }
}
