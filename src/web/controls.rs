//! One control each: labelled, checked when the run starts.

use leptos::prelude::*;

use super::page::Page;
use crate::app::form::Form;

/// A labelled text field of the form.
#[component]
pub fn Field(
    page: Page,
    /// What a reader sees.
    label: &'static str,
    /// Name for tests, and the element's id.
    testid: &'static str,
    /// The text that the field stands for.
    text: fn(&Form) -> &String,
    /// The same, to be changed.
    change: fn(&mut Form) -> &mut String,
    /// Whether it is one of the heads.
    #[prop(optional)]
    head: bool,
    /// Keyboard that a phone should show.
    #[prop(default = "numeric")]
    mode: &'static str,
) -> impl IntoView {
    let value = Memo::new(move |_| page.settled_form.with(|form| text(form).clone()));
    view! {
        <div class="field">
            <label for=testid>{label}</label>
            <input
                id=testid
                data-testid=testid
                type="text"
                inputmode=mode
                autocomplete="off"
                spellcheck="false"
                prop:value=move || value.get()
                on:input=move |event| page.form.update(|form| {
                    *change(form) = event_target_value(&event);
                    form.heads_typed |= head;
                })
            />
        </div>
    }
}

/// Whether prompts start with BOS.
#[component]
pub fn BosBox(page: Page) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                data-testid="bos-checkbox"
                prop:checked=move || page.settled_form.with(|form| form.prepend_bos)
                on:change=move |event| page.form.update(|form| form.prepend_bos = event_target_checked(&event))
            />
            <span>"Prompts start with BOS"</span>
        </label>
    }
}
