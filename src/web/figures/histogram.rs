//! A histogram with its legend and controls.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::canvas::PlotCanvas;
use super::explorer::Actions;
use super::legend::Legend;
use super::prompts::PickedPrompt;
use super::split::SplitTable;
use super::toolbar::HistogramToolbar;
use crate::app::figure_words;
use crate::figure::{Figure, FigurePlace, View};
use crate::names::HistogramId;
use crate::plot::{HistogramPlot, HistogramView, Plot, Zoom};

/// The histogram `name` at `place`, which is figure `number`.
#[component]
pub fn HistogramFigure(page: Page, place: FigurePlace, name: HistogramId, number: usize) -> impl IntoView {
    let shown = page.shown;
    let view = Memo::new(move |_| page.view.with(|view| view.histogram(name)));
    let prompt = Memo::new(move |_| page.view.with(|view| view.prompt));
    let max_bins = Memo::new(move |_| view.with(|view| view.max_bins));
    // Bins and statistics take longest, and are not computed again when a series is hidden.
    let counted = Memo::new(move |_| {
        let view = HistogramView {
            max_bins: max_bins.get(),
            ..HistogramView::default()
        };
        shown.with(|shown| Some(HistogramPlot::of_result(&shown.as_ref()?.result, name, &view)))
    });
    let plot = Memo::new(move |_| {
        let plot = view.with(|view| Some(counted.get()?.seen(view)))?;
        shown.with(|shown| Some(plot.with_prompt(&shown.as_ref()?.result, name, prompt.get())))
    });
    let drawn = Signal::derive(move || plot.get().map(Plot::from));
    let label = Signal::derive(move || {
        shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| Figure::at(place, &View::default()).summary(&shown.result))
                .unwrap_or_default()
        })
    });
    let left_out = move || {
        let sentences = shown.with(|shown| Some(shown.as_ref()?.result.left_out_of(name)));
        sentences.unwrap_or_default().join(" ")
    };
    let moves = RwSignal::new(false);
    let set_zoom = move |zoom: Option<(f64, f64)>| {
        page.view
            .update(|view| view.update_histogram(name, |view| view.zoom = zoom));
    };
    let actions = Actions {
        zoom: Callback::new(move |zoom| {
            if let Zoom::Values(range) = zoom {
                set_zoom(range);
            }
        }),
        pick: Callback::new(|_| false),
        reset: Callback::new(move |()| set_zoom(None)),
    };
    view! {
        <figure class="figure" data-testid=format!("figure-{place}")>
            <figcaption>
                <h3><span class="number">{number}</span> {page.in_words(place.heading())}</h3>
                <p>{page.in_words(place.explanation(&View::default()))}" "<strong data-testid="left-out">{left_out}</strong></p>
                <p class="plot-title">{move || plot.with(|plot| plot.as_ref().map(|plot| plot.title.clone()))}</p>
            </figcaption>
            <HistogramToolbar page=page name=name moves=moves>
                <ExportMenu page=page figure=place />
            </HistogramToolbar>
            <Legend page=page name=name plot=plot />
            <PlotCanvas page=page id=place.as_str() plot=drawn label=label help=place.keys_help() actions=actions moves=moves hint=figure_words::KEEP_BAR />
            <PickedPrompt page=page />
            <SplitTable page=page name=name plot=plot />
            <DataTable page=page figure=place />
        </figure>
    }
}
