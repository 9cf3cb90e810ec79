//! A figure without further controls.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::canvas::PlotCanvas;
use super::explorer::Actions;
use super::prompts::{PickedPrompt, pick_prompt};
use crate::figure::{Figure, FigurePlace};

/// The figure at `place`: its words, its plot, and what there is to take along.
#[component]
pub fn PlainFigure(page: Page, place: FigurePlace, number: usize) -> impl IntoView {
    let figure = Memo::new(move |_| page.view.with(|view| Figure::at(place, view)));
    let plot = Memo::new(move |_| {
        page.shown
            .with(|shown| figure.with(|figure| figure.plot(&shown.as_ref()?.result).ok()))
    });
    let label = Signal::derive(move || {
        let summary = page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            Some(figure.with(|figure| figure.summary(result)))
        });
        summary.unwrap_or_default()
    });
    let explanation = move || {
        let text = page.view.with(|view| place.explanation(view));
        page.in_words(text)()
    };
    let actions = Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(move |target| pick_prompt(page, target)),
        reset: Callback::new(|()| ()),
    };
    view! {
        <figure class="figure" data-testid=format!("figure-{place}")>
            <figcaption>
                <h3><span class="number">{number}</span> {page.in_words(place.heading())}</h3>
                <p>{explanation}</p>
                <p class="plot-title">{move || plot.with(|plot| plot.as_ref().map(|plot| plot.title().to_owned()))}</p>
            </figcaption>
            <div class="toolbar" role="group" aria-label="How this figure is shown">
                <ExportMenu page=page figure=place />
            </div>
            <PlotCanvas
                page=page
                id=place.as_str()
                plot=plot
                label=label
                help=place.keys_help()
                actions=actions
                legend=true
            />
            <PickedPrompt page=page />
            <DataTable page=page figure=place />
        </figure>
    }
}
