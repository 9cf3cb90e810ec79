//! The scatter plot of two series of a run, one mark per prompt, and the list of its prompts.

mod keys;
mod list;
mod script;
mod tables;
mod view;
pub mod words;

pub use list::{PromptList, axes, columns, of_group};
pub use view::{ListView, ScatterView};

use super::keys::Query;
use super::kind::{Controls, FigureKind, Subject};
use super::view::View;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Script, Table};
use crate::names::{FigureName, PromptSeries};
use crate::plot::{Plot, ScatterMark, ScatterPlot, Theme};
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("scatter");

/// A mark per prompt.
pub struct Scatter;

fn there(subject: Subject<'_>) -> Result<(PromptSeries, PromptSeries)> {
    axes(subject.result, &subject.view.scatter).ok_or_else(absent)
}

fn absent() -> Error {
    Error::new(ErrorKind::Plot, "the result has no two series with a value per prompt")
}

/// The scatter of two series of `result` as `view` shows it, with the prompt `picked`; `group` as of [`PromptList::of`]. None for a
/// result that has no two series.
pub fn scatter_plot(
    result: &ResultFile,
    view: &ScatterView,
    group: Option<&[usize]>,
    picked: Option<usize>,
) -> Option<ScatterPlot> {
    let (x, y) = axes(result, view)?;
    let listed = words::listed(result, view, group);
    let marks = words::pairs(result, &x, &y).into_iter();
    let marks = marks.map(|(prompt, at)| ScatterMark {
        prompt,
        at,
        listed: listed.get(prompt).copied().unwrap_or(false),
    });
    Some(ScatterPlot {
        title: title(result, &x, &y),
        x_label: words::series_name(&x),
        y_label: words::series_name(&y),
        marks: marks.collect(),
        same_unit: x.has_unit_of(&y),
        decimals: (words::decimals(&x), words::decimals(&y)),
        texts: result.prompts.iter().map(|prompt| prompt.text.clone()).collect(),
        picked,
    })
}

fn title(result: &ResultFile, x: &PromptSeries, y: &PromptSeries) -> String {
    format!(
        "{} against {}, prompt by prompt, in {}",
        y.series,
        x.series,
        result.head_name()
    )
}

impl FigureKind for Scatter {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        axes(subject.result, &subject.view.scatter).is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        words::SECTION
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        words::HEADING
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        words::EXPLANATION.to_owned()
    }

    fn title(&self, _name: FigureName) -> String {
        "Two series, prompt by prompt".to_owned()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let view = &subject.view.scatter;
        words::summary(subject.result, view, of_group(subject.result, &view.list).as_deref())
    }

    fn keys_help(&self) -> &'static str {
        words::KEYS
    }

    fn controls(&self, _name: FigureName) -> Controls {
        Controls::Scatter
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        let view = &subject.view.scatter;
        let group = of_group(subject.result, &view.list);
        let plot = scatter_plot(subject.result, view, group.as_deref(), subject.view.prompt);
        Ok(plot.ok_or_else(absent)?.into())
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let (x, y) = there(subject)?;
        Ok(tables::tables(
            subject.result,
            &subject.view.scatter,
            &title(subject.result, &x, &y),
            &x,
            &y,
        ))
    }

    fn offered(&self, _of: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        tables::OFFERED.to_vec()
    }

    fn is_short(&self, table: &str) -> bool {
        tables::is_short(table)
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let (x, y) = there(subject)?;
        Ok(script::script(&title(subject.result, &x, &y), &x, &y, theme))
    }

    fn is_key(&self, key: &str) -> bool {
        keys::is_key(key)
    }

    fn take(&self, view: &mut View, key: &str, value: &str) -> Result<()> {
        keys::take(&mut view.scatter, key, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        keys::write(&view.scatter, query);
    }

    fn clean(&self, view: &mut View) {
        keys::clean(&mut view.scatter);
    }
}
