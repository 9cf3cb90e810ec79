//! State that the scatter plot shares with the list of prompts.

use leptos::prelude::*;

use super::super::page::Page;
use crate::figure::{ScatterView, axes, of_group};
use crate::names::PromptSeries;
use crate::result::ResultFile;

/// What the scatter and the list beside it are made of.
#[derive(Clone, Copy)]
pub struct Scattered {
    /// How both are shown.
    pub view: Memo<ScatterView>,
    /// The prompts of the kind that is listed: to find them takes long, and they stay when another prompt is picked.
    pub group: Memo<Option<Vec<usize>>>,
    /// All series that there are.
    pub series: Memo<Vec<PromptSeries>>,
    /// Those along both axes.
    pub axes: Memo<Option<(PromptSeries, PromptSeries)>>,
}

impl Scattered {
    /// Of what `page` shows.
    pub fn new(page: Page) -> Self {
        let view = Memo::new(move |_| page.view.with(|view| view.scatter.clone()));
        let kind = Memo::new(move |_| view.with(|view| view.list.group));
        let group = Memo::new(move |_| {
            kind.get()?;
            let list = view.with_untracked(|view| view.list.clone());
            page.shown.with(|shown| of_group(&shown.as_ref()?.result, &list))
        });
        let series = Memo::new(move |_| {
            let all = page.shown.with(|shown| {
                let all = shown.as_ref()?.result.by_prompt().into_iter();
                Some(all.map(|(series, _)| series).collect())
            });
            all.unwrap_or_default()
        });
        let axes = Memo::new(move |_| {
            page.shown
                .with(|shown| view.with(|view| axes(&shown.as_ref()?.result, view)))
        });
        Self {
            view,
            group,
            series,
            axes,
        }
    }

    /// What `found` gives of the result that is shown.
    pub fn of<T>(
        self,
        page: Page,
        found: impl FnOnce(&ResultFile, &ScatterView, Option<&[usize]>) -> Option<T>,
    ) -> Option<T> {
        page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            self.view
                .with(|view| self.group.with(|group| found(result, view, group.as_deref())))
        })
    }
}
