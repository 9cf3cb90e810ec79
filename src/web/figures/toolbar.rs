//! The small controls above a plot.

use leptos::prelude::*;

use super::super::page::Page;
use super::super::scheduling::SOON;
use super::split::SplitControl;
use crate::app::figure_words::{self, BIN_COUNTS};
use crate::figure::heatmap_choice::{Choice, Offered, choices};
use crate::names::{HeatmapId, HistogramId};
use crate::plot::{HistogramView, SeriesOrder};

/// Bins, axis, order and zoom of the histogram `name`, and what else belongs there.
#[component]
pub fn HistogramToolbar(page: Page, name: HistogramId, moves: RwSignal<bool>, children: Children) -> impl IntoView {
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
            <Zoomed zoomed=Signal::derive(zoomed) moves=moves reset=Callback::new(move |()| change(&|view| view.zoom = None)) />
            {children()}
        </div>
    }
}

/// Which heatmap is shown, its zoom, and what else belongs there.
#[component]
pub fn HeatmapToolbar(page: Page, moves: RwSignal<bool>, children: Children) -> impl IntoView {
    let names = Memo::new(move |_| {
        page.shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| shown.result.heatmap_names())
                .unwrap_or_default()
        })
    });
    let choices = Memo::new(move |_| {
        let chosen = page.view.with(|view| view.heatmap.name.clone());
        names.with(|names| choices(names, &chosen))
    });
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
            // A field stays the same element while what there is to choose changes: it keeps the keyboard's focus.
            <For each=move || choices.with(|choices| named(choices)) key=|(name, _)| *name let((name, label))>
                <label class="tool">
                    <span>{label}</span>
                    <select data-testid=name on:change=move |event| choose(event_target_value(&event).into())>
                        {move || choices.with(|choices| options(page, choices, name))}
                    </select>
                </label>
            </For>
            <Zoomed zoomed=Signal::derive(zoomed) moves=moves reset=reset />
            {children()}
        </div>
    }
}

/// Name and label of each choice.
fn named(choices: &[Choice]) -> Vec<(&'static str, &'static str)> {
    choices.iter().map(|choice| (choice.name, choice.label)).collect()
}

/// What there is to choose in the choice `name`.
fn options(page: Page, choices: &[Choice], name: &str) -> impl IntoView + use<> {
    let choice = choices.iter().find(|choice| choice.name == name);
    let option = |offered: &Offered| {
        let label = page.shown.with_untracked(|shown| match shown {
            Some(shown) => shown.result.with_position_names(&*offered.label),
            None => offered.label.clone(),
        });
        view! { <option value=offered.heatmap.to_string() prop:selected=offered.is_chosen>{label}</option> }
    };
    choice.map(|choice| choice.options.iter().map(option).collect_view())
}

/// What can be done with a part that is zoomed to: moving it, and the way back; without one, how to get there.
#[component]
fn Zoomed(zoomed: Signal<bool>, moves: RwSignal<bool>, reset: Callback<()>) -> impl IntoView {
    view! {
        <Show when=move || zoomed.get() fallback=|| view! { <span class="hint">"Drag to zoom"</span> }>
            <button
                type="button"
                class="tool"
                data-testid="move-zoom"
                aria-pressed=move || moves.get().to_string()
                title="A drag moves what is shown instead of zooming. Shift and an arrow key move it, too."
                on:click=move |_| moves.update(|moves| *moves = !*moves)
            >
                "Move"
            </button>
            <button type="button" class="tool" data-testid="reset-zoom" on:click=move |_| reset.run(())>
                "Show all"
            </button>
        </Show>
    }
}
