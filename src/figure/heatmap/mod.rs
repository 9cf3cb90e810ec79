//! The heatmaps: contributions of components to a score.

pub mod choice;
mod keys;
mod script;
mod tables;
pub mod words;

use super::keys::Query;
use super::kind::{Controls, FigureKind, Subject};
use super::view::View;
use crate::error::Result;
use crate::export::{Script, Table};
use crate::names::{FigureId, FigureName};
use crate::plot::{HeatmapPlot, HeatmapView, Plot, Theme};

/// The kind of figure that shows the chosen heatmap.
pub struct Heatmaps;

fn plot(subject: Subject<'_>, view: &HeatmapView) -> Result<HeatmapPlot> {
    HeatmapPlot::of_result(subject.result, view, subject.view.prompt)
}

impl FigureKind for Heatmaps {
    fn names(&self) -> &'static [FigureName] {
        &[FigureName::HEATMAP]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.heatmap(&subject.view.heatmap.name).is_some()
    }

    fn stays(&self) -> bool {
        true
    }

    fn id(&self, name: FigureName, view: &View) -> FigureId {
        FigureId::one_of(name, view.heatmap.name.to_string())
    }

    fn views(&self, subject: Subject<'_>) -> Vec<View> {
        let shown = |name| {
            let mut view = subject.view.clone();
            view.heatmap.name = name;
            view
        };
        subject.result.heatmap_names().into_iter().map(shown).collect()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Which components?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Which parts of the model put it there?"
    }

    fn explanation(&self, _name: FigureName, view: &View) -> String {
        words::heatmap_explanation(&view.heatmap.name)
    }

    fn title(&self, _name: FigureName) -> String {
        "Contributions of components to the attention score".to_owned()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let heatmap = subject.result.heatmap(&subject.view.heatmap.name);
        let summary = heatmap.map(|heatmap| words::summary(subject.result, heatmap, subject.view.prompt));
        summary.unwrap_or_default()
    }

    fn exported(&self, _name: FigureName) -> &'static str {
        "contributions"
    }

    fn keys_help(&self) -> &'static str {
        words::KEYS
    }

    fn controls(&self, _name: FigureName) -> Controls {
        Controls::Heatmap
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        Ok(plot(subject, &subject.view.heatmap)?.into())
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let view = HeatmapView {
            zoom: None,
            ..subject.view.heatmap.clone()
        };
        let heatmap = subject.result.heatmap(&view.name);
        Ok(tables::tables(subject.result, heatmap, &plot(subject, &view)?))
    }

    fn offered(&self, subject: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        let heatmap = subject.result.heatmap(&subject.view.heatmap.name);
        let of_prompts = heatmap.is_some_and(|heatmap| heatmap.per_prompt.is_some());
        let offered = tables::OFFERED.into_iter();
        offered.take(if of_prompts { 3 } else { 2 }).collect()
    }

    fn is_short(&self, table: &str) -> bool {
        tables::is_short(table)
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let view = &subject.view.heatmap;
        Ok(script::script(view, &plot(subject, view)?, theme))
    }

    fn is_key(&self, key: &str) -> bool {
        keys::is_key(key)
    }

    fn take(&self, view: &mut View, key: &str, value: &str) -> Result<()> {
        keys::take(&mut view.heatmap, key, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        keys::write(&view.heatmap, query);
    }

    fn clean(&self, view: &mut View) {
        keys::clean(&mut view.heatmap);
    }

    /// Another heatmap is another figure.
    fn is_step(&self, from: &View, to: &View) -> bool {
        from.heatmap.name != to.heatmap.name
    }
}
