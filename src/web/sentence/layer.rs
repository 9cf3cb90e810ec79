//! The attention patterns of all heads of the chosen head's layer, as small triangles.

use leptos::prelude::*;

use super::super::data_table::{DataTable, is_open};
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::shown::{drawn, lacks, of_attention, only_pick};
use crate::figure::FigurePlace;
use crate::names::Head;
use crate::plot::Target;

/// A fold with the patterns, which are computed while it is open; a click on a triangle chooses its head.
#[component]
pub fn LayerPatterns(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "layer".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let open = Memo::new(move |_| page.view.with(|view| view.sentence.layer));
    let toggled = move |event| {
        let now = is_open(&event);
        if now != open.get_untracked() {
            page.view.update(|view| view.sentence.layer = now);
            if now {
                page.ask();
            }
        }
    };
    let layer = Memo::new(move |_| of_attention(sentence, |section| section.head.layer));
    let title = move || layer.get().map(|layer| format!("All heads of layer {layer}"));
    let missing = lacks(sentence, |result| result.layer().is_some());
    let contents = move || {
        let (plot, label) = drawn(sentence, place);
        let pick = only_pick(move |target| {
            let Target::Pattern(head) = target else { return false };
            let shown = sentence.shown.with_untracked(|shown| {
                let layer = shown.as_ref()?.result.layer()?.layer;
                Some(Head::new(layer, head))
            });
            let Some(head) = shown else { return false };
            page.ask_with(|question| {
                if question.head != Some(head) {
                    (question.head, question.src) = (Some(head), None);
                }
            });
            true
        });
        view! {
            <Show
                when=move || !missing.get()
                fallback=|| view! { <p class="soft" data-testid="layer-not-recorded">"Not all heads of this layer are recorded for this sentence: choose a model, which computes them."</p> }
            >
                <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
                <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
            </Show>
        }
    };
    view! {
        <details class="head-list" open=move || open.get() on:toggle=toggled>
            <summary data-testid="all-of-layer">{title}</summary>
            {move || open.get().then(contents)}
        </details>
    }
    .into_any()
}
