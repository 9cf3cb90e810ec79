//! A form for any intervention: where to intervene, and with what.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::page::Page;
use super::shown::of_attention;
use crate::analysis::pair::LabeledToken;
use crate::app::trial_form::{ParsedTrial, Put, TrialForm, TrialTarget};
use crate::app::trials::TrialKind;
use crate::figure::intervention_words::known_tokens;
use crate::figure::sentence_words::visible;

/// The form, in a fold.
#[component]
pub fn AnyIntervention(
    page: Page,
    sentence: Page,
    attempt: impl Fn(ParsedTrial) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let form = RwSignal::new(TrialForm::default());
    let known = Memo::new(move |_| {
        let found = sentence.shown.with(|shown| Some(known_tokens(&shown.as_ref()?.result)));
        found.unwrap_or_default()
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(head) = untrack(|| of_attention(sentence, |section| section.head)) else {
            return;
        };
        match known.with_untracked(|known| form.with_untracked(|form| form.read(head, known))) {
            Ok(meant) => attempt(meant),
            Err(error) => page.refuse(TrialKind::Intervention, error),
        }
    };
    let place = Memo::new(move |_| form.with(|form| form.place));
    let put = Memo::new(move |_| form.with(TrialForm::put));
    let choose_place = move |event| {
        let value = event_target_value(&event);
        if let Some(place) = TrialTarget::ALL.into_iter().find(|place| place.value() == value) {
            form.update(|form| form.place = place);
        }
    };
    let choose_put = move |event| {
        let value = event_target_value(&event);
        if let Some(put) = Put::ALL.into_iter().find(|put| put.value() == value) {
            form.update(|form| form.put = put);
        }
    };
    let place_option = move |choice: TrialTarget| {
        view! { <option value=choice.value() prop:selected=move || place.get() == choice>{choice.label()}</option> }
    };
    let put_option = move |choice: Put| {
        view! { <option value=choice.value() prop:selected=move || put.get() == choice>{choice.label()}</option> }
    };
    let field = move |label: &'static str, name: &'static str, text: fn(&mut TrialForm) -> &mut String, list: bool| {
        view! {
            <label>
                <span>{label}</span>
                <input
                    type="text"
                    autocomplete="off"
                    spellcheck="false"
                    list=list.then_some("known-tokens")
                    data-testid=format!("trial-{name}")
                    prop:value=move || text(&mut form.get()).clone()
                    on:input=move |event| form.update(|form| event_target_value(&event).clone_into(text(form)))
                />
            </label>
        }
    };
    let token_option = |token: LabeledToken| view! { <option value=token.text.clone()>{visible(&token.text)}</option> };
    let sets = Memo::new(move |_| matches!(place.get(), TrialTarget::Set(_)));
    view! {
        <details class="go-on" data-testid="trial-form">
            <summary>"Something else"</summary>
            <form on:submit=submit novalidate>
                <label>
                    <span>"What"</span>
                    <select data-testid="trial-place" on:change=choose_place>
                        {TrialTarget::ALL.map(place_option).collect_view()}
                    </select>
                </label>
                <label>
                    <span>"Put there"</span>
                    <select data-testid="trial-put" on:change=choose_put>
                        {move || place.get().puts().iter().map(|put| put_option(*put)).collect_view()}
                    </select>
                </label>
                <Show when=move || put.get().is_of_token()>
                    {field("Token: its text, or its id", "token", |form| &mut form.token, true)}
                </Show>
                <Show when=move || put.get() == Put::Mean>
                    <p class="soft" data-testid="trial-mean">
                        "The prompts are those that \u{201c}Many prompts\u{201d} asks for: your own, or IOI prompts of its settings."
                    </p>
                </Show>
                <Show when=move || put.get() == Put::Component>
                    {field("Component, such as 1.2 or MLP0", "component", |form| &mut form.component, false)}
                </Show>
                <Show when=move || sets.get()>
                    {field("Head; empty: this one", "head", |form| &mut form.head, false)}
                    <label class="check">
                        <input
                            type="checkbox"
                            data-testid="trial-everywhere"
                            prop:checked=move || form.with(|form| form.everywhere)
                            on:change=move |event| form.update(|form| form.everywhere = event_target_checked(&event))
                        />
                        "at every token"
                    </label>
                </Show>
                <button type="submit" data-testid="trial-button">"Try it"</button>
            </form>
            <datalist id="known-tokens">{move || known.get().into_iter().map(token_option).collect_view()}</datalist>
        </details>
    }
}
