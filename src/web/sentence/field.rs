//! The field of the sentence, the model that it is asked of, and what becomes of the question.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::page::Page;
use super::examples::Examples;
use super::offer::{Offer, is_answered_by_recording};
use super::recent;
use crate::app::form::ModelChoice;
use crate::app::session;
use crate::app::words;
use crate::error::{Error, ErrorKind};

/// The field of the sentence.
pub const FIELD: &str = "sentence-input";

/// Sentence, model, and whatever there is to say about the question.
#[component]
pub fn SentenceField(page: Page, sentence: Page) -> impl IntoView {
    let recent = recent::sentences(page, sentence);
    let typed = RwSignal::new(page.question.with_untracked(|question| question.text.clone()));
    // A link, an example or "back" brings another sentence.
    Effect::new(move |before: Option<String>| {
        let text = page.question.with(|question| question.text.clone());
        // Not at first: the reader may have begun to type.
        if before.is_some_and(|before| before != text) {
            typed.set(text.clone());
        }
        text
    });
    // Where nothing is typed, there is something to see at once.
    let arrived = Memo::new(move |_| page.session.with(|session| !session.sentences().is_empty()));
    let recorded = Memo::new(move |_| page.settled_form.with(|form| form.model == ModelChoice::Recorded));
    Effect::new(move |_| {
        let empty = || page.question.with(|question| question.text.is_empty()) && typed.with(String::is_empty);
        if arrived.get() && recorded.get() && untrack(empty) {
            page.ask_example(0);
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked();
        if text.trim().is_empty() {
            let error = Error::new(ErrorKind::Prompt, "there is no word to look at").expected("a sentence");
            page.session.update(|session| session.fail_asking(error));
        } else if page.question.with_untracked(|question| question.text == text) {
            page.ask();
        } else {
            let before = page.question.get_untracked();
            let of_recorded = recorded.get_untracked();
            let bos = page
                .session
                .with_untracked(|session| session.begins_with_bos(&text, &before, of_recorded));
            page.question.update_untracked(|question| question.prepend_bos = bos);
            page.ask_anew(text);
        }
    };
    let toggle_bos = move |event| {
        let on = event_target_checked(&event);
        page.ask_with(|question| {
            question.prepend_bos = on;
            (question.dest, question.src, question.relative) = (None, None, None);
        });
    };
    // Whose answer it is that is shown.
    let model = move || {
        sentence.shown.with(|shown| {
            let shown = shown.as_ref()?;
            let config = &shown.result.config;
            let note = shown.note.as_ref().map_or_else(String::new, |note| format!(" {note}"));
            let timing = shown.result.timing.as_ref();
            let took = timing.map_or_else(String::new, |timing| format!(" Answered in {:.3} s.", timing.seconds));
            Some(format!(
                "{}: {} layers of {} heads.{took}{note}",
                shown.result.model.name, config.n_layer, config.n_head
            ))
        })
    };
    view! {
        <form class="ask-form" on:submit=submit novalidate>
            <label class="visually-hidden" for=FIELD>"Sentence"</label>
            <input
                id=FIELD
                data-testid=FIELD
                type="text"
                autocomplete="off"
                spellcheck="false"
                placeholder="Type a sentence, then Enter"
                aria-describedby="sentence-told"
                list="recent-sentences"
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <datalist id="recent-sentences" data-testid="recent-sentences">
                {move || recent.get().into_iter().map(|text| view! { <option value=text></option> }).collect_view()}
            </datalist>
            <button type="submit" class="primary" data-testid="ask-button">"Look"</button>
            <label class="check" title="Begin with the token that stands for the beginning of a text">
                <input
                    type="checkbox"
                    data-testid="sentence-bos"
                    prop:checked=move || page.question.with(|question| question.prepend_bos)
                    on:change=toggle_bos
                />
                "BOS first"
            </label>
            <Examples page=page />
        </form>
        <Told page=page />
        <p class="soft" data-testid="sentence-model">{model}</p>
    }
}

/// What is missing, what goes on, what went wrong.
#[component]
fn Told(page: Page) -> impl IntoView {
    let answered = is_answered_by_recording(page);
    let missing = Memo::new(move |_| {
        page.settled_form.with(|form| form.model == ModelChoice::Recorded)
            && page.question.with(|question| !question.text.trim().is_empty())
            && !answered.get()
            && !page.sentences_awaited.get()
    });
    let error = Memo::new(move |_| {
        page.session
            .with(|session| session.asking().error().map(ToString::to_string))
    });
    let busy = Memo::new(move |_| page.session.with(|session| session.asking().is_active()));
    view! {
        <div id="sentence-told" class="told">
            <Show when=move || missing.get()>
                <Offer
                    page=page
                    words="This is not recorded: nothing is known of it without a model. A model computes it here, on this device:"
                    name="sentence-offer"
                />
            </Show>
            <div role="alert">
                {move || error.get().map(|text| view! { <p class="error" data-testid="sentence-error">{text}</p> })}
            </div>
            <Show when=move || busy.get()>
                <Progress page=page />
            </Show>
        </div>
    }
}

/// How far the answer is: seen when it takes longer than a moment; it can be stopped when it takes long.
#[component]
fn Progress(page: Page) -> impl IntoView {
    let progress = move || page.session.with(|session| session.asking().progress().cloned());
    view! {
        <div class="asking" data-testid="asking">
            <progress
                aria-label="Progress of the answer"
                max="1"
                prop:value=move || progress().as_ref().and_then(session::fraction).unwrap_or(0.0)
            ></progress>
            <p aria-hidden="true">{move || progress().as_ref().map(words::details)}</p>
            <button type="button" class="quiet" data-testid="stop-asking" on:click=move |_| page.stop_asking()>"Stop"</button>
        </div>
    }
}
