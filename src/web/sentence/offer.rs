//! The models that compute what is not recorded.

use leptos::prelude::*;

use super::super::page::Page;
use crate::app::form::ModelChoice;
use crate::app::library;
use crate::app::session::Session;
use crate::checkpoint::HUB_MODELS;

/// Whether the answer of the recorded sentences is the one to what is asked: of no other model, and of a sentence and a head that are
/// recorded.
pub fn is_answered_by_recording(page: Page) -> Memo<bool> {
    Memo::new(move |_| {
        let recorded = page.settled_form.with(|form| form.model == ModelChoice::Recorded);
        recorded
            && page
                .session
                .with(|session| page.question.with(|question| session.is_recorded(question)))
    })
}

/// Says in `words` what is missing, and offers the models that compute it.
#[component]
pub fn Offer(
    page: Page,
    words: &'static str,
    /// Name for tests.
    name: &'static str,
) -> impl IntoView {
    let bundled = move |_| {
        page.choose(ModelChoice::Bundled);
        page.ask();
    };
    let gpt2 = move |_| {
        page.choose(ModelChoice::Hub);
        // What is shown is of the same model: the same head between the same tokens is meant.
        page.ask_with(|_| ());
    };
    page.list_stored_if_any();
    let gpt2_small = HUB_MODELS.iter().find(|model| model.name == "gpt2");
    let cost = Memo::new(move |_| {
        let told = |session: &Session| {
            let stored = session.library().models();
            gpt2_small.map(|model| library::cost(model, "GPT-2 small", stored))
        };
        page.session.with(told).unwrap_or_default()
    });
    view! {
        <div class="offer" data-testid=name>
            <p>{words}" "<span data-testid="offer-cost">{move || cost.get().0}</span></p>
            <button type="button" class="primary" data-testid="offer-bundled" on:click=bundled>"Run on the tiny bundled model now"</button>
            <button type="button" data-testid="offer-gpt2" on:click=gpt2>{move || cost.get().1}</button>
        </div>
    }
}
