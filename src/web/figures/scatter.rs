//! The scatter plot of two series, with the choice of both and the list of prompts.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::canvas::PlotCanvas;
use super::explorer::Actions;
use super::prompt_list::{PromptTable, SeriesSelect};
use super::prompts::{PickedPrompt, pick_prompt};
use super::scattered::Scattered;
use crate::figure::{FigurePlace, ScatterView, View, scatter_plot, scatter_words};
use crate::names::PromptSeries;
use crate::plot::Plot;

/// The scatter at `place`, which is figure `number`.
#[component]
pub fn ScatterFigure(page: Page, place: FigurePlace, number: usize) -> impl IntoView {
    let scattered = Scattered::new(page);
    let prompt = Memo::new(move |_| page.view.with(|view| view.prompt));
    let plot = Memo::new(move |_| {
        let picked = prompt.get();
        scattered.of(page, |result, view, group| scatter_plot(result, view, group, picked))
    });
    let drawn = Signal::derive(move || plot.get().map(Plot::from));
    let label = Signal::derive(move || {
        let summary = scattered.of(page, |result, view, group| {
            Some(scatter_words::summary(result, view, group))
        });
        summary.unwrap_or_default()
    });
    let agreement = Memo::new(move |_| scattered.of(page, scatter_words::agreement));
    let axis =
        move |second: bool| Signal::derive(move || scattered.axes.get().map(|(x, y)| if second { y } else { x }));
    let actions = Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(move |target| pick_prompt(page, target)),
        reset: Callback::new(|()| ()),
    };
    let choose = move |change: fn(&mut ScatterView, Option<PromptSeries>)| {
        Callback::new(move |series| page.view.update(|view| change(&mut view.scatter, series)))
    };
    view! {
        <figure class="figure" data-testid=format!("figure-{place}")>
            <figcaption>
                <h3><span class="number">{number}</span> {page.in_words(place.heading())}</h3>
                <p>{place.explanation(&View::default())}</p>
                <p class="plot-title">{move || plot.with(|plot| plot.as_ref().map(|plot| plot.title.clone()))}</p>
            </figcaption>
            <div class="toolbar" role="group" aria-label="How this figure is shown">
                <SeriesSelect label="Across" id="scatter-x" all=scattered.series chosen=axis(false) choose=choose(|view, series| view.x = series) />
                <SeriesSelect label="Up" id="scatter-y" all=scattered.series chosen=axis(true) choose=choose(|view, series| view.y = series) />
                <ExportMenu page=page figure=place />
            </div>
            <PlotCanvas page=page id=place.as_str() plot=drawn label=label help=place.keys_help() actions=actions />
            <p class="identity" data-testid="agreement">{move || agreement.get()}</p>
            <PickedPrompt page=page />
            <PromptTable page=page scattered=scattered />
            <DataTable page=page figure=place />
        </figure>
    }
}
