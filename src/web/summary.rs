//! Which run is shown: always above the figures.

use leptos::prelude::*;

use super::page::Page;
use crate::app::session::{Session, Shown};
use crate::app::words;

/// The strip above the figures.
#[component]
pub fn Summary(page: Page) -> impl IntoView {
    let shown = page.shown;
    let can_restore = move || page.session.with(Session::can_restore);
    view! {
        <section class="run-summary" data-testid="run-summary" aria-label="The run that is shown">
            {move || match shown.get() {
                Some(shown) => view! { <Details shown=shown /> }.into_any(),
                None => view! { <p>"Loading the recorded run\u{2026}"</p> }.into_any(),
            }}
            <Show when=can_restore>
                <button
                    type="button"
                    class="quiet"
                    data-testid="restore-button"
                    on:click=move |_| page.session.update(Session::restore)
                >
                    "Back to the last complete result"
                </button>
            </Show>
        </section>
    }
}

#[component]
fn Details(shown: Shown) -> impl IntoView {
    let result = &shown.result;
    let note = shown.note.clone();
    view! {
        <p class="badge" class:partial=shown.is_partial()>{words::origin(&shown.origin)}</p>
        <p class="model">{result.model.name.clone()}</p>
        <p>{words::settings(result)}</p>
        <details class="source">
            <summary>"Source"</summary>
            <p>{result.model.source.clone()}</p>
        </details>
        {note.map(|note| view! { <p class="note">{note}</p> })}
        {result.model.notes.iter().map(|note| view! { <p class="note" data-testid="model-note">{note.clone()}</p> }).collect_view()}
        {result.left_out_heatmaps().into_iter().map(|left_out| view! { <p class="note" data-testid="left-out">{left_out}</p> }).collect_view()}
        {result.skipped_notice().map(|skipped| view! { <p class="note" data-testid="skipped">{skipped}</p> })}
    }
}
