//! A histogram's legend: a button for each series.

use leptos::ev::{FocusEvent, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::super::page::Page;
use super::colors::css_color;
use crate::names::{HistogramId, SeriesId};
use crate::plot::{HistogramPlot, HistogramView, Series, visible};

/// What a reader can do with an entry.
const HOW: &str = "Click: show or hide. Double click, or Shift+Enter: this series alone.";

/// The legend of the histogram `name`.
#[component]
pub fn Legend(page: Page, name: HistogramId, plot: Memo<Option<HistogramPlot>>) -> impl IntoView {
    let title = move || plot.with(|plot| plot.as_ref().map(|plot| plot.legend_title.clone()));
    let entries = move || {
        let entry = |series: &Series| (series.id.clone(), series.note.clone(), series.color);
        plot.with(|plot| {
            plot.as_ref()
                .map(|plot| plot.series.iter().map(entry).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    };
    let view = Memo::new(move |_| page.view.with(|view| view.histogram(name)));
    // Entries stay the same elements while they are toggled: a button keeps the keyboard's focus.
    view! {
        <div class="legend" role="group" aria-label="Series shown">
            <span class="legend-title">{title}</span>
            <For each=entries key=|(id, _, color)| (id.clone(), *color) let:entry>
                <Entry page=page name=name plot=plot view=view id=entry.0.clone() note=entry.1.clone() color=entry.2 />
            </For>
        </div>
    }
}

#[component]
fn Entry(
    page: Page,
    name: HistogramId,
    plot: Memo<Option<HistogramPlot>>,
    view: Memo<HistogramView>,
    id: SeriesId,
    note: String,
    color: usize,
) -> impl IntoView {
    let label = visible(&id.label());
    let id = StoredValue::new(id);
    let visible = Memo::new(move |_| id.with_value(|id| view.with(|view| view.shows(id))));
    let lit = Memo::new(move |_| {
        page.linked.series.with(|lit| {
            let lit = lit.as_ref()?;
            Some(id.with_value(|id| id.is_same_as(lit)))
        })
    });
    let change = move |again: bool, isolate: bool| {
        let all: Vec<SeriesId> = plot
            .with_untracked(|plot| {
                plot.as_ref()
                    .map(|plot| plot.series.iter().map(|series| series.id.clone()).collect())
            })
            .unwrap_or_default();
        page.view.update(|view| {
            view.update_histogram(name, |view| {
                id.with_value(|id| {
                    if again || !isolate {
                        view.toggle(id);
                    }
                    if isolate {
                        view.isolate(id, &all);
                    }
                });
            });
        });
        // What was asked for is seen plainly; it is lit up when the pointer comes again.
        page.linked.light(None);
    };
    let clicked = move |event: MouseEvent| {
        // The second click of a double click takes back what the first one did.
        let again = event.detail() > 0 && event.detail() % 2 == 0;
        change(again, again || event.shift_key());
    };
    let light = move || id.with_value(|id| page.linked.light(Some(id)));
    let focused = move |event: FocusEvent| {
        // A click focuses, too: then the pointer says what is lit up.
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if element.is_some_and(|element| element.matches(":focus-visible").unwrap_or(false)) {
            light();
        }
    };
    let swatch = move || css_color(page, color);
    let title = if note.is_empty() {
        HOW.to_owned()
    } else {
        format!("{note}. {HOW}")
    };
    view! {
        <button
            type="button"
            class="legend-entry"
            class:lit=move || lit.get() == Some(true)
            aria-pressed=move || if visible.get() { "true" } else { "false" }
            title=title
            on:click=clicked
            on:pointerenter=move |_| light()
            on:pointerleave=move |_| page.linked.light(None)
            on:focus=focused
            on:blur=move |_| page.linked.light(None)
        >
            <span class="swatch" style:background=swatch></span>
            <code>{label}</code>
        </button>
    }
}
