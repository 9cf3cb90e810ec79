//! The figures of an intervention in every prompt of a run: histograms of recomputed and predicted changes.

mod tables;
mod words;

use super::histogram;
use super::kind::{FigureKind, Subject};
use super::view::View;
use crate::analysis::ChangesSection;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Script, Table};
use crate::names::{ChangeMeasure, FigureName, SeriesId};
use crate::plot::{HistogramPlot, OF_NO_VECTOR, Plot, Series, Theme};
use crate::result::{Bins, BoxStats, ResultFile};

const ATTENTION: FigureName = FigureName::new("change_attention");
const LOGITS: FigureName = FigureName::new("change_logits");
const LOGPROB: FigureName = FigureName::new("change_logprob");

/// Greatest number of bins.
const MAX_BINS: usize = 60;

/// Legend entry and color number of the recomputed values, and the same of the predicted ones.
const RECOMPUTED: (&str, usize) = ("recomputed", OF_NO_VECTOR[0]);
const PREDICTED: (&str, usize) = ("predicted", OF_NO_VECTOR[1]);

/// A histogram of changes for each measure.
pub struct Changes;

/// The measure of the figure at the place `name`.
fn measure(name: FigureName) -> ChangeMeasure {
    match name {
        LOGITS => ChangeMeasure::LogitDifference,
        LOGPROB => ChangeMeasure::LogprobA,
        _ => ChangeMeasure::Attention,
    }
}

fn section(result: &ResultFile) -> Result<&ChangesSection> {
    result
        .changes()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no intervention in every prompt"))
}

fn title(result: &ResultFile, measure: ChangeMeasure) -> Result<String> {
    let section = section(result)?;
    let what = words::name(result, section, measure);
    Ok(format!("Change of {what}: {}", section.intervention))
}

fn histogram_of(subject: Subject<'_>) -> Result<HistogramPlot> {
    let (section, measure) = (section(subject.result)?, measure(subject.name));
    let recomputed = (RECOMPUTED, section.change(measure));
    let predicted = section.predicted_change(measure).map(|values| (PREDICTED, values));
    let all: Vec<((&str, usize), Vec<f32>)> = predicted.into_iter().chain([recomputed]).collect();
    let bins = Bins::of(all.iter().map(|(_, values)| values.as_slice()), MAX_BINS);
    let one = |((label, color), values): &((&str, usize), Vec<f32>)| Series {
        id: SeriesId::from(*label),
        label: (*label).to_owned(),
        note: words::note(*label == RECOMPUTED.0).to_owned(),
        color: *color,
        visible: true,
        counts: bins.map(|bins| bins.counts(values)).unwrap_or_default(),
        stats: BoxStats::of(values),
        mark: subject
            .view
            .prompt
            .and_then(|prompt| values.get(prompt).copied())
            .map(f64::from),
    };
    Ok(HistogramPlot {
        title: title(subject.result, measure)?,
        x_label: words::axis(measure).to_owned(),
        y_label: "count".to_owned(),
        legend_title: "Change".to_owned(),
        series: all.iter().map(one).collect(),
        bins,
        log_counts: false,
        zoom: None,
    })
}

impl FigureKind for Changes {
    fn names(&self) -> &'static [FigureName] {
        &[ATTENTION, LOGITS, LOGPROB]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.changes().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "What does an intervention change?"
    }

    fn heading(&self, name: FigureName) -> &'static str {
        words::heading(measure(name))
    }

    fn explanation(&self, name: FigureName, _view: &View) -> String {
        words::explanation(measure(name)).to_owned()
    }

    fn title(&self, name: FigureName) -> String {
        words::title(measure(name)).to_owned()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        if subject.result.changes().is_some() {
            self.description(subject).join(" ")
        } else {
            "Nothing was done to every prompt.".into()
        }
    }

    fn description(&self, subject: Subject<'_>) -> Vec<String> {
        let section = subject.result.changes();
        section.map_or_else(Vec::new, |section| {
            words::description(subject.result, section, measure(subject.name))
        })
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        histogram_of(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let measure = measure(subject.name);
        Ok(tables::tables(
            subject.result,
            section(subject.result)?,
            measure,
            &title(subject.result, measure)?,
        ))
    }

    fn is_short(&self, table: &str) -> bool {
        table == tables::STATISTICS
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let plot = histogram_of(subject)?;
        Ok(histogram::script_of_changes(measure(subject.name), &plot, theme))
    }
}
