//! The score of a sentence with other vectors in place of the head's inputs, beside a run over many prompts.

use super::dots_words::{DotRow, format_value, kind, lines, rows, substituted, summary, title};
use super::keys::{DOTS, take_dots, write_dots};
use super::script;
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{FigureName, HistogramId, Side};
use crate::plot::{DotsBand, DotsPlot, DotsRow, Plot, Theme};

const NAME: FigureName = FigureName::new("dots");

/// A dot for each vector that is put in place of what the head reads.
pub struct Dots;

fn histogram(subject: Subject<'_>) -> HistogramId {
    subject.view.sentence.dots
}

fn plot(subject: Subject<'_>) -> Result<DotsPlot> {
    let (section, histogram) = (substituted(subject.result)?, histogram(subject));
    let own = f64::from(section.own(histogram));
    let row = |row: DotRow<'_>| DotsRow {
        color: row.series.color().unwrap_or_default(),
        value: row.value,
        number: format_value(histogram, row.value),
        spread: row.spread(),
        band: row.band.map(|band| DotsBand {
            range: (f64::from(band.low), f64::from(band.high)),
            mean: f64::from(band.mean),
        }),
        lines: lines(subject.result, section, histogram, &row),
        label: row.label,
    };
    Ok(DotsPlot {
        title: title(subject.result, histogram)?,
        x_label: if histogram.probs() {
            "Attention (probability)".into()
        } else {
            "Score".into()
        },
        rows: rows(subject.result, histogram)?.into_iter().map(row).collect(),
        reference: (
            own,
            format!("own {}: {}", kind(histogram), format_value(histogram, own)),
        ),
        range: histogram.probs().then_some((0.0, 1.0)),
    })
}

impl FigureKind for Dots {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.substituted().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Is it really that?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Is it really that? Put something else there"
    }

    fn explanation(&self, _name: FigureName, view: &View) -> String {
        match view.sentence.dots.side() {
            Side::Query => "The query is made from something else, the keys are as they are: what would the score be?",
            Side::Key => "The key is made from something else, the query and the other keys are as they are: what would the score be?",
        }
        .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "The score with something else there".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        summary(subject.result, histogram(subject))
            .unwrap_or_else(|_| "Nothing was put in place of what a head reads.".into())
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        plot(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let histogram = histogram(subject);
        let (title, rows) = (title(subject.result, histogram)?, rows(subject.result, histogram)?);
        let number = |value: Option<f32>| value.map_or(Field::Empty, Field::Single);
        let computed = |value: Option<f64>| value.map_or(Field::Empty, Field::Double);
        let series = |row: &DotRow<'_>| {
            let value = match row.values {
                [value] if row.tokens.is_empty() => Field::Single(*value),
                _ => Field::Double(row.value),
            };
            let (band, spread) = (row.band, row.spread());
            vec![
                Field::Text(row.series.to_string()),
                Field::Text(row.label.clone()),
                value,
                Field::Count(row.values.len()),
                computed(spread.map(|(low, _)| low)),
                computed(spread.map(|(_, high)| high)),
                number(band.map(|band| band.mean)),
                number(band.map(|band| band.low)),
                number(band.map(|band| band.high)),
                number(band.and_then(|band| band.below)),
            ]
        };
        let token = |row: &DotRow<'_>| {
            let name = row.series.to_string();
            let tokens = row.tokens.iter().zip(row.values);
            let fields = tokens.map(move |(token, value)| {
                vec![
                    Field::Text(name.clone()),
                    Field::Count(token.token as usize),
                    Field::Text(token.text.clone()),
                    Field::Single(*value),
                ]
            });
            fields.collect::<Vec<_>>()
        };
        let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let series = Table {
            name: "vectors",
            title: title.clone(),
            caption: format!(
                "A row per vector: the {} with it; of several tokens their mean, 5th and 95th percentile. Then the same of the run over many \
                 prompts, and the share of its prompts below this sentence.",
                kind(histogram)
            ),
            columns: columns(&[
                "series",
                "name",
                kind(histogram),
                "count",
                "low",
                "high",
                "run_mean",
                "run_low",
                "run_high",
                "run_below",
            ]),
            rows: rows.iter().map(series).collect(),
        };
        let tokens: Vec<Vec<Field>> = rows.iter().flat_map(token).collect();
        let tokens = (!tokens.is_empty()).then(|| Table {
            name: "sampled",
            title,
            caption: "A row per token of the vectors that are a mean of several tokens.".into(),
            columns: columns(&["series", "token", "text", kind(histogram)]),
            rows: tokens,
        });
        Ok([series].into_iter().chain(tokens).collect())
    }

    fn is_short(&self, table: &str) -> bool {
        table == "vectors"
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let (plot, histogram) = (plot(subject)?, histogram(subject));
        let names: Vec<String> = rows(subject.result, histogram)?
            .iter()
            .map(|row| row.series.to_string())
            .collect();
        Ok(script::of_dots(&plot, (histogram, &names), theme))
    }

    fn is_key(&self, key: &str) -> bool {
        key == DOTS
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_dots(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_dots(view, query);
    }
}
