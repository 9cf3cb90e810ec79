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

fn plot(of: Subject<'_>, view: &HeatmapView) -> Result<HeatmapPlot> {
    HeatmapPlot::of_result(of.result, view, of.view.prompt)
}

impl FigureKind for Heatmaps {
    fn names(&self) -> &'static [FigureName] {
        &[FigureName::HEATMAP]
    }

    fn is_in(&self, of: Subject<'_>) -> bool {
        of.result.heatmap(&of.view.heatmap.name).is_some()
    }

    fn stays(&self) -> bool {
        true
    }

    fn id(&self, name: FigureName, view: &View) -> FigureId {
        FigureId::one_of(name, view.heatmap.name.to_string())
    }

    fn views(&self, of: Subject<'_>) -> Vec<View> {
        let shown = |name| {
            let mut view = of.view.clone();
            view.heatmap.name = name;
            view
        };
        of.result.heatmap_names().into_iter().map(shown).collect()
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

    fn summary(&self, of: Subject<'_>) -> String {
        let heatmap = of.result.heatmap(&of.view.heatmap.name);
        let summary = heatmap.map(|heatmap| words::summary(of.result, heatmap, of.view.prompt));
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

    fn plot(&self, of: Subject<'_>) -> Result<Plot> {
        Ok(plot(of, &of.view.heatmap)?.into())
    }

    fn tables(&self, of: Subject<'_>) -> Result<Vec<Table>> {
        let view = HeatmapView {
            zoom: None,
            ..of.view.heatmap.clone()
        };
        let heatmap = of.result.heatmap(&view.name);
        Ok(tables::tables(of.result, heatmap, &plot(of, &view)?))
    }

    fn offered(&self, of: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        let heatmap = of.result.heatmap(&of.view.heatmap.name);
        let of_prompts = heatmap.is_some_and(|heatmap| heatmap.per_prompt.is_some());
        let offered = tables::OFFERED.into_iter();
        offered.take(if of_prompts { 3 } else { 2 }).collect()
    }

    fn is_short(&self, table: &str) -> bool {
        tables::is_short(table)
    }

    fn script(&self, of: Subject<'_>, theme: &Theme) -> Result<Script> {
        let view = &of.view.heatmap;
        Ok(script::script(view, &plot(of, view)?, theme))
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
