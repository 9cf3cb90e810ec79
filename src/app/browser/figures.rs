//! The five figures.

use leptos::prelude::*;

use super::canvas::{Plot, PlotCanvas};
use super::data_table::DataTable;
use super::export::ExportMenu;
use super::page::Page;
use crate::app::export::FigureName;
use crate::app::session::Shown;
use crate::app::words;
use crate::plot::{HeatmapPlot, HistogramPlot, Series};
use crate::result::HistogramName;

/// The name of the heatmap that is shown.
const KEY: &str = "key";

/// One histogram with its legend.
#[component]
pub fn HistogramFigure(page: Page, name: HistogramName, number: usize) -> impl IntoView {
    let shown = page.shown;
    let view = Memo::new(move |_| page.view.with(|view| view.histogram(name)));
    let of_result = Memo::new(move |_| {
        shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| HistogramPlot::of_result(&shown.result, name))
        })
    });
    let plot = Memo::new(move |_| {
        let mut plot = of_result.get()?;
        view.with(|view| {
            for series in &mut plot.series {
                series.visible ^= view.toggled.contains(&series.label);
            }
        });
        Some(plot)
    });
    let drawn = Signal::derive(move || plot.get().map(Plot::Histogram));
    let label = Signal::derive(move || {
        shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| words::summary(&shown.result, name))
                .unwrap_or_default()
        })
    });
    let toggle = move |label: &str| {
        page.view.update(|view| {
            view.update_histogram(name, |view| {
                if !view.toggled.remove(label) {
                    view.toggled.insert(label.into());
                }
            });
        });
    };
    view! {
        <figure class="figure" data-testid=format!("figure-{name}")>
            <figcaption>
                <h3><span class="number">{number}</span> {words::heading(name)}</h3>
                <p>{words::explanation(name)}</p>
                <p class="plot-title">{move || plot.with(|plot| plot.as_ref().map(|plot| plot.title.clone()))}</p>
            </figcaption>
            <ExportMenu page=page figure=FigureName::Histogram(name) />
            <Legend plot=plot toggle=toggle />
            <PlotCanvas page=page plot=drawn label=label />
            <DataTable page=page figure=FigureName::Histogram(name) />
        </figure>
    }
}

#[component]
fn Legend(plot: Memo<Option<HistogramPlot>>, toggle: impl Fn(&str) + Copy + Send + Sync + 'static) -> impl IntoView {
    let title = move || plot.with(|plot| plot.as_ref().map(|plot| plot.legend_title.clone()));
    let entries = move || {
        let entry = |series: &Series| (series.label.clone(), series.note.clone(), series.color);
        plot.with(|plot| {
            plot.as_ref()
                .map(|plot| plot.series.iter().map(entry).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    };
    // Entries stay the same elements while they are toggled: a button keeps the keyboard's focus.
    view! {
        <div class="legend" role="group" aria-label="Series shown">
            <span class="legend-title">{title}</span>
            <For each=entries key=|(label, _, color)| (label.clone(), (color.0, color.1, color.2)) let:entry>
                {
                    let (label, note, color) = entry;
                    let of = label.clone();
                    let visible = Signal::derive(move || plot.with(|plot| is_visible(plot.as_ref(), &of)));
                    let name = label.clone();
                    view! {
                        <button
                            type="button"
                            class="legend-entry"
                            aria-pressed=move || if visible.get() { "true" } else { "false" }
                            title=note
                            on:click=move |_| toggle(&name)
                        >
                            <span class="swatch" style:background=format!("rgb({} {} {})", color.0, color.1, color.2)></span>
                            <code>{label}</code>
                        </button>
                    }
                }
            </For>
        </div>
    }
}

fn is_visible(plot: Option<&HistogramPlot>, label: &str) -> bool {
    plot.is_some_and(|plot| plot.series.iter().any(|series| series.label == label && series.visible))
}

/// The contributions of components, with the switch that hides b_O and the identity in words.
#[component]
pub fn HeatmapFigure(page: Page, number: usize) -> impl IntoView {
    let shown = page.shown;
    let notebook = Memo::new(move |_| page.view.with(|view| view.heatmap.as_in_notebook));
    let plot = Memo::new(move |_| {
        let as_in_notebook = notebook.get();
        shown.with(|shown| HeatmapPlot::of_result(&shown.as_ref()?.result, KEY, as_in_notebook).ok())
    });
    let drawn = Signal::derive(move || plot.get().map(Plot::Heatmap));
    let of_heatmap = move |words: fn(&Shown, bool) -> Option<String>| {
        let as_in_notebook = notebook.get();
        shown.with(|shown| shown.as_ref().and_then(|shown| words(shown, as_in_notebook)))
    };
    let label = Signal::derive(move || {
        of_heatmap(|shown, _| Some(words::heatmap_summary(&shown.result, shown.result.heatmap(KEY)?)))
            .unwrap_or_default()
    });
    let identity = move || {
        of_heatmap(|shown, as_in_notebook| {
            let heatmap = shown.result.heatmap(KEY)?;
            Some(words::identity(heatmap, shown.result.batch_size, as_in_notebook))
        })
    };
    let has_b_o = move || of_heatmap(|shown, _| words::has_b_o(shown.result.heatmap(KEY)?).then(String::new)).is_some();
    let absent = move || plot.with(Option::is_none);
    view! {
        <figure class="figure" data-testid="figure-heatmap">
            <figcaption>
                <h3><span class="number">{number}</span> "Which parts of the model put it there?"</h3>
                <p>
                    "The score is also a sum over everything that was added to the residual stream at IO: one cell for each \
                     attention head and MLP before the head. Blue raises the score, red lowers it; each cell is a mean over \
                     the prompts of the first batch."
                </p>
                <p class="plot-title">{move || plot.with(|plot| plot.as_ref().map(|plot| plot.title.clone()))}</p>
            </figcaption>
            <ExportMenu page=page figure=FigureName::Heatmap />
            <Show when=has_b_o>
                <label class="switch">
                    <input
                        type="checkbox"
                        data-testid="notebook-switch"
                        prop:checked=move || notebook.get()
                        on:change=move |event| page.view.update(|view| view.heatmap.as_in_notebook = event_target_checked(&event))
                    />
                    <span>"As in the notebook (without "<code>"b_O"</code>")"</span>
                </label>
            </Show>
            <div class:absent=absent>
                <PlotCanvas page=page plot=drawn label=label />
            </div>
            <Show when=absent>
                <p class="placeholder">"The contributions arrive when the run is complete."</p>
            </Show>
            <p class="identity" data-testid="identity-text">{identity}</p>
            <DataTable page=page figure=FigureName::Heatmap />
        </figure>
    }
}
