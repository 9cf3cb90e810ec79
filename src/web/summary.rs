//! A summary of the shown run, above the figures.

use leptos::prelude::*;

use super::page::Page;
use crate::app::chosen::not_shown;
use crate::app::session::{Session, Shown};
use crate::app::words;

/// The strip above the figures.
#[component]
pub fn Summary(page: Page) -> impl IntoView {
    let shown = page.shown;
    let busy = Memo::new(move |_| page.session.with(|session| session.run().is_active()));
    let can_restore = move || page.session.with(Session::can_restore);
    view! {
        <section class="run-summary" data-testid="run-summary" aria-label="The run that is shown">
            {move || match shown.get() {
                Some(shown) => view! { <Details shown=shown /> }.into_any(),
                None => view! { <p>"Loading the recorded run\u{2026}"</p> }.into_any(),
            }}
            <OtherModel page=page busy=busy />
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

/// A notice that the result of `page` is not of the chosen model; hidden while that model is `busy`.
#[component]
pub fn OtherModel(page: Page, busy: Memo<bool>) -> impl IntoView {
    let description = Memo::new(move |_| {
        let url = page.tracked_url();
        let description = |shown: &Shown| page.form.with(|form| not_shown(form, url.as_deref(), shown));
        (!busy.get()).then(|| page.shown.with(|shown| shown.as_ref().and_then(description)))?
    });
    view! {
        <div role="status">
            {move || description.get().map(|description| view! { <p class="note other-model" data-testid="other-model">{description}</p> })}
        </div>
    }
}

#[component]
fn Details(shown: Shown) -> impl IntoView {
    let result = &shown.result;
    let notes = words::notes(result, shown.note.as_deref());
    view! {
        <p class="badge" class:partial=shown.is_partial()>{words::origin(&shown.origin)}</p>
        <p class="model">{result.model.name.clone()}</p>
        <p>{words::settings(result)}</p>
        <details class="source">
            <summary>"Source"</summary>
            <p>{result.model.source.clone()}</p>
        </details>
        {notes
            .into_iter()
            .map(|(kind, note)| view! { <p class="note" data-testid=kind>{note}</p> })
            .collect_view()}
    }
}
