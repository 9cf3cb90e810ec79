//! The histograms: scores and probabilities with substituted vectors.

mod keys;
mod script;
mod tables;
mod words;

pub(super) use self::script::of_changes as script_of_changes;

use super::keys::Query;
use super::kind::{Controls, FigureKind, Subject};
use super::view::View;
use crate::error::Result;
use crate::export::{Script, Table};
use crate::names::{FigureName, HistogramId};
use crate::plot::{HistogramPlot, HistogramView, Plot, Theme};

/// The four histograms.
pub struct Histograms;

/// Their names.
const NAMES: [FigureName; 4] = {
    let [first, second, third, fourth] = HistogramId::ALL;
    [
        FigureName::of(first),
        FigureName::of(second),
        FigureName::of(third),
        FigureName::of(fourth),
    ]
};

/// The histogram at the place `name`.
fn histogram(name: FigureName) -> HistogramId {
    let mut all = HistogramId::ALL.into_iter();
    all.find(|id| FigureName::of(*id) == name)
        .unwrap_or(HistogramId::KeysFixedScores)
}

/// The plot of all values, whatever is zoomed to.
fn whole(subject: Subject<'_>) -> HistogramPlot {
    let name = histogram(subject.name);
    let view = HistogramView {
        zoom: None,
        ..subject.view.histogram(name)
    };
    HistogramPlot::of_result(subject.result, name, &view)
}

impl FigureKind for Histograms {
    fn names(&self) -> &'static [FigureName] {
        &NAMES
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        !subject.result.series(histogram(subject.name)).is_empty()
    }

    fn stays(&self) -> bool {
        true
    }

    fn section(&self, name: FigureName) -> &'static str {
        words::section(histogram(name))
    }

    fn heading(&self, name: FigureName) -> &'static str {
        words::heading(histogram(name))
    }

    fn explanation(&self, name: FigureName, _view: &View) -> String {
        words::explanation(histogram(name)).to_owned()
    }

    fn title(&self, name: FigureName) -> String {
        words::title(histogram(name))
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        words::summary(subject.result, histogram(subject.name))
    }

    fn keys_help(&self) -> &'static str {
        words::KEYS
    }

    fn controls(&self, name: FigureName) -> Controls {
        Controls::Histogram(histogram(name))
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        let name = histogram(subject.name);
        let plot = HistogramPlot::of_result(subject.result, name, &subject.view.histogram(name));
        Ok(plot.with_prompt(subject.result, name, subject.view.prompt).into())
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        Ok(tables::tables(subject.result, histogram(subject.name), &whole(subject)))
    }

    fn offered(&self, _of: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        tables::OFFERED.to_vec()
    }

    fn is_short(&self, table: &str) -> bool {
        tables::is_short(table)
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let name = histogram(subject.name);
        let plot = HistogramPlot::of_result(subject.result, name, &subject.view.histogram(name));
        Ok(script::script(name, &plot, theme))
    }

    fn is_key(&self, key: &str) -> bool {
        keys::is_key(key)
    }

    fn may_repeat(&self, key: &str) -> bool {
        keys::may_repeat(key)
    }

    fn take(&self, view: &mut View, key: &str, value: &str) -> Result<()> {
        keys::take(view, key, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        keys::write(view, query);
    }

    fn clean(&self, view: &mut View) {
        keys::clean(view);
    }
}
