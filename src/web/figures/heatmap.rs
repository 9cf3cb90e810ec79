//! The heatmap of contributions with its controls.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::canvas::PlotCanvas;
use super::explorer::Actions;
use super::largest::LargestCells;
use super::prompts::Prompts;
use super::toolbar::HeatmapToolbar;
use crate::app::{figure_words, words};
use crate::figure::FigurePlace;
use crate::figure::heatmap_words::{self, cell_explanation, heatmap_explanation};
use crate::names::Column;
use crate::plot::{CellRange, HeatmapPlot, HeatmapView, Plot, Target, Zoom};
use crate::result::ResultFile;

/// The heatmap that is chosen, with the switch that hides b_O, the identity in words and its prompts.
#[component]
pub fn HeatmapFigure(page: Page, place: FigurePlace, number: usize) -> impl IntoView {
    let shown = page.shown;
    let view = Memo::new(move |_| page.view.with(|view| (view.heatmap.clone(), view.prompt)));
    let plot = Memo::new(move |_| {
        shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            view.with(|(heatmap, prompt)| HeatmapPlot::of_result(result, heatmap, *prompt).ok())
        })
    });
    let drawn = Signal::derive(move || plot.get().map(Plot::from));
    let description = move |words: fn(&ResultFile, &HeatmapView, Option<usize>) -> Option<String>| {
        view.with(|(heatmap, prompt)| shown.with(|shown| words(&shown.as_ref()?.result, heatmap, *prompt)))
    };
    let label = Signal::derive(move || {
        let words = |result: &ResultFile, view: &HeatmapView, prompt| {
            Some(heatmap_words::summary(result, result.heatmap(&view.name)?, prompt))
        };
        description(words).unwrap_or_default()
    });
    let identity =
        move || description(|result, view, prompt| words::sums(result, &view.name, prompt, view.as_in_notebook));
    let of_cells = move || description(|result, view, prompt| Some(cell_explanation(result, &view.name, prompt)));
    let instead = move || description(|result, _, _| Some(heatmap_words::absent(result)));
    let target = RwSignal::new(None::<Target>);
    let cell = Memo::new(move |_| {
        let pointed = match target.get() {
            Some(Target::Cell(row, column)) => {
                plot.with(|plot| plot.as_ref()?.cell(row, column).map(|cell| cell.place))
            }
            _ => None,
        };
        pointed.or_else(|| view.with(|(heatmap, _)| heatmap.pick))
    });
    let moves = RwSignal::new(false);
    let absent = move || plot.with(Option::is_none);
    view! {
        <figure class="figure" data-testid=format!("figure-{place}")>
            <figcaption>
                <h3><span class="number">{number}</span> {place.heading()}</h3>
                <p>
                    <span data-testid="heatmap-explanation">{move || description(|result, view, _| Some(result.with_position_names(heatmap_explanation(&view.name))))}</span>
                    " There is one cell for each attention head and MLP before the head. Blue raises the score, red lowers it; "
                    <span data-testid="cell-explanation">{of_cells}</span>
                </p>
                <p class="plot-title" data-testid="heatmap-title">
                    {move || plot.with(|plot| plot.as_ref().map(|plot| plot.title.clone()))}
                </p>
            </figcaption>
            <HeatmapToolbar page=page moves=moves>
                <ExportMenu page=page figure=place />
            </HeatmapToolbar>
            <NotebookSwitch page=page />
            <div class:absent=absent>
                <PlotCanvas
                    page=page
                    id=place.as_str()
                    plot=drawn
                    label=label
                    help=place.keys_help()
                    actions=actions(page, plot)
                    target=target
                    moves=moves
                    hint=figure_words::KEEP_CELL
                />
                <LargestCells page=page plot=plot />
            </div>
            <Show when=absent>
                <p class="placeholder">{instead}</p>
            </Show>
            <p class="identity" data-testid="identity-text">{identity}</p>
            <Prompts page=page place=cell />
            <DataTable page=page figure=place />
        </figure>
    }
}

/// Zooming, and picking a cell: picked again, it is let go.
fn actions(page: Page, plot: Memo<Option<HeatmapPlot>>) -> Actions {
    let set_zoom = move |zoom: Option<CellRange>| page.view.update(|view| view.heatmap.zoom = zoom);
    let pick = move |target: Target| {
        let Target::Cell(row, column) = target else {
            return false;
        };
        let place = plot.with_untracked(|plot| plot.as_ref()?.cell(row, column).map(|cell| cell.place));
        page.view.update(|view| {
            view.heatmap.pick = place.filter(|_| view.heatmap.pick != place);
        });
        true
    };
    Actions {
        zoom: Callback::new(move |zoom| {
            if let Zoom::Cells(range) = zoom {
                set_zoom(range);
            }
        }),
        pick: Callback::new(pick),
        reset: Callback::new(move |()| set_zoom(None)),
    }
}

/// The switch that hides b_O, where the heatmap has it.
#[component]
fn NotebookSwitch(page: Page) -> impl IntoView {
    let has_b_o = Memo::new(move |_| {
        page.shown.with(|shown| {
            let heatmap = shown.as_ref().and_then(|shown| {
                page.view
                    .with(|view| shown.result.heatmap(&view.heatmap.name).map(words::has_b_o))
            });
            heatmap.unwrap_or(false)
        })
    });
    let notebook = move || page.view.with(|view| view.heatmap.as_in_notebook);
    view! {
        <Show when=move || has_b_o.get()>
            <label class="switch">
                <input
                    type="checkbox"
                    data-testid="notebook-switch"
                    prop:checked=notebook
                    on:change=move |event| {
                        page.view.update(|view| view.heatmap.as_in_notebook = event_target_checked(&event));
                    }
                />
                <span>"As in the notebook (without "<code>{Column::AttentionBias.to_string()}</code>")"</span>
            </label>
        </Show>
    }
}
