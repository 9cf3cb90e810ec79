//! Buttons for the models that compute what is not recorded.

use leptos::prelude::*;

use super::super::page::Page;
use crate::app::form::ModelChoice;
use crate::app::library;
use crate::app::session::Session;
use crate::checkpoint::HUB_MODELS;

/// Whether the recorded sentences answer the current question: no other model is chosen, and sentence and head are
/// recorded.
pub fn is_answered_by_recording(page: Page) -> Memo<bool> {
    Memo::new(move |_| {
        let recorded = page.form.with(|form| form.model == ModelChoice::Recorded);
        recorded
            && page
                .session
                .with(|session| page.question.with(|question| session.is_recorded(question)))
    })
}

/// Whether the chosen model is on the hub and nothing was requested from it yet: requests wait until the reader agrees.
pub fn is_unasked(page: Page) -> Memo<bool> {
    Memo::new(move |_| {
        let url = page.tracked_url();
        page.question.with(|question| !question.text.trim().is_empty())
            && url.is_some_and(|url| page.session.with(|session| !session.may_ask(&url)))
    })
}

/// A notice that nothing was requested from the chosen model, with a button that asks it.
#[component]
pub fn Unasked(page: Page) -> impl IntoView {
    page.list_stored_if_any();
    let description = Memo::new(move |_| {
        let url = page.tracked_url().unwrap_or_default();
        page.session
            .with(|session| library::unasked(&url, session.library().models()))
    });
    let ask = move |_| {
        page.agree();
        page.ask();
    };
    view! {
        <div class="offer" data-testid="unasked">
            <p>{move || description.get().0}</p>
            <button type="button" class="primary" data-testid="ask-hub" on:click=ask>{move || description.get().1}</button>
        </div>
    }
}

/// A notice with the text `words`, and buttons for the models that compute what is missing.
#[component]
pub fn Offer(
    page: Page,
    words: &'static str,
    /// Value of `data-testid`.
    name: &'static str,
) -> impl IntoView {
    let bundled = move |_| {
        page.choose(ModelChoice::Bundled);
        page.ask();
    };
    let gpt2 = move |_| {
        page.choose(ModelChoice::Hub);
        page.agree();
        // The shown answer is of the same model, so head and tokens are kept.
        page.ask_with(|_| ());
    };
    page.list_stored_if_any();
    let gpt2_small = HUB_MODELS.iter().find(|model| model.name == "gpt2");
    let cost = Memo::new(move |_| {
        let description = |session: &Session| {
            let stored = session.library().models();
            gpt2_small.map(|model| library::cost(model, "GPT-2 small", stored))
        };
        page.session.with(description).unwrap_or_default()
    });
    view! {
        <div class="offer" data-testid=name>
            <p>{words}" "<span data-testid="offer-cost">{move || cost.get().0}</span></p>
            <button type="button" class="primary" data-testid="offer-bundled" on:click=bundled>"Run on the tiny bundled model now"</button>
            <button type="button" data-testid="offer-gpt2" on:click=gpt2>{move || cost.get().1}</button>
        </div>
    }
}
