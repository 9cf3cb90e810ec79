//! The small controls above a plot.

use leptos::prelude::*;

use super::super::later::SOON;
use super::super::page::Page;
use super::split::SplitControl;
use crate::app::figure_words::{self, BIN_COUNTS};
use crate::figure::heatmap_words::heatmap_label;
use crate::names::{HeatmapId, HistogramId};
use crate::plot::{HistogramView, SeriesOrder};

/// Bins, axis, order and zoom of the histogram `name`, and what else belongs there.
#[component]
pub fn HistogramToolbar(page: Page, name: HistogramId, children: Children) -> impl IntoView {
    let view = Memo::new(move |_| page.view.with(|view| view.histogram(name)));
    let change = move |change: &dyn Fn(&mut HistogramView)| {
        page.view.update(|view| view.update_histogram(name, change));
    };
    let bins = move || view.with(|view| view.max_bins);
    let choices = move || {
        // A link may ask for another number.
        let asked = bins().filter(|bins| !BIN_COUNTS.contains(bins));
        let mut choices: Vec<usize> = BIN_COUNTS.into_iter().chain(asked).collect();
        choices.sort_unstable();
        choices
    };
    let log = move || view.with(|view| view.log_counts);
    let zoomed = move || view.with(|view| view.zoom.is_some());
    let order = move |order: SeriesOrder| {
        let selected = move || view.with(|view| view.order == order);
        view! { <option value=order.value() prop:selected=selected>{figure_words::order(order)}</option> }
    };
    let pick_order = move |value: String| {
        if let Some(order) = SeriesOrder::ALL.into_iter().find(|order| order.value() == value) {
            change(&|view| view.order = order);
        }
    };
    view! {
        <div class="toolbar" role="group" aria-label="How this figure is shown">
            <label class="tool">
                <span>"Bins"</span>
                <select
                    data-testid="bins"
                    on:change=move |event| {
                        let bins = event_target_value(&event).parse().ok();
                        change(&|view| view.max_bins = bins);
                    }
                >
                    <option value="" prop:selected=move || bins().is_none()>{figure_words::usual_bins(name)}</option>
                    <For each=choices key=|count| *count let:count>
                        <option value=count.to_string() prop:selected=move || bins() == Some(count)>{count}</option>
                    </For>
                </select>
            </label>
            <label class="tool">
                <span>"Order"</span>
                <select data-testid="order" on:change=move |event| pick_order(event_target_value(&event))>
                    {SeriesOrder::ALL.map(order).collect_view()}
                </select>
            </label>
            <SplitControl page=page name=name />
            <button
                type="button"
                class="tool"
                data-testid="log-counts"
                aria-pressed=move || log().to_string()
                title="Counts on a logarithmic axis: few values beside many"
                on:click=move |_| change(&|view| view.log_counts = !view.log_counts)
            >
                "Log counts"
            </button>
            <ResetZoom zoomed=Signal::derive(zoomed) reset=Callback::new(move |()| change(&|view| view.zoom = None)) />
            {children()}
        </div>
    }
}

/// Which heatmap is shown, its zoom, and what else belongs there.
#[component]
pub fn HeatmapToolbar(page: Page, children: Children) -> impl IntoView {
    let names = Memo::new(move |_| {
        page.shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| shown.result.heatmap_names())
                .unwrap_or_default()
        })
    });
    let chosen = Memo::new(move |_| page.view.with(|view| view.heatmap.name.clone()));
    // The field shows its new value at once, by itself; what hangs on it is more than fits into a frame, and waits for the
    // last of several that are chosen quickly.
    let choose = move |name: HeatmapId| {
        page.choosing.run_after(SOON, move || {
            page.view.update(|view| {
                view.heatmap.name = name;
                // Another heatmap may have other rows.
                (view.heatmap.zoom, view.heatmap.pick) = (None, None);
            });
        });
    };
    let zoomed = move || page.view.with(|view| view.heatmap.zoom.is_some());
    let reset = Callback::new(move |()| page.view.update(|view| view.heatmap.zoom = None));
    view! {
        <div class="toolbar" role="group" aria-label="How this figure is shown">
            <Show when=move || names.with(|names| names.len() > 1)>
                <div class="tool wide">
                    <label for="heatmap-select">"Heatmap"</label>
                    // A block of its own, so that another name lays out nothing else.
                    <div>
                        <select
                            id="heatmap-select"
                            data-testid="heatmap-select"
                            on:change=move |event| choose(event_target_value(&event).into())
                        >
                            <For each=move || names.get() key=|name| name.clone() let:name>
                                {
                                    let label = |name| {
                                        let label = heatmap_label(name);
                                        page.shown.with_untracked(|shown| match shown {
                                            Some(shown) => shown.result.in_its_words(label),
                                            None => label,
                                        })
                                    };
                                    let of = name.clone();
                                    let selected = move || chosen.with(|chosen| *chosen == of);
                                    view! { <option value=name.to_string() prop:selected=selected>{label(&name)}</option> }
                                }
                            </For>
                        </select>
                    </div>
                </div>
            </Show>
            <ResetZoom zoomed=Signal::derive(zoomed) reset=reset />
            {children()}
        </div>
    }
}

/// The way back from a zoom; without one, how to get there.
#[component]
fn ResetZoom(zoomed: Signal<bool>, reset: Callback<()>) -> impl IntoView {
    view! {
        <Show when=move || zoomed.get() fallback=|| view! { <span class="hint">"Drag to zoom"</span> }>
            <button type="button" class="tool" data-testid="reset-zoom" on:click=move |_| reset.run(())>
                "Show all"
            </button>
        </Show>
    }
}
