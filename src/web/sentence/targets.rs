//! The two target tokens whose logits are compared, and errors about them.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::page::Page;
use super::shown::of_result;
use crate::analysis::pair::{Question, TargetTexts};
use crate::error::ErrorKind;
use crate::figure::consequence_words::token_name;

/// Id of the message below the fields.
const ERROR: &str = "target-error";

/// Two fields for an id, or for a text that is one token; the most likely next tokens where they are empty.
#[component]
pub fn Targets(page: Page, sentence: Page) -> impl IntoView {
    let found = Memo::new(move |_| {
        let texts = of_result(sentence, |result| {
            let of_effects = result.effects().map(|section| (&section.a, &section.b));
            let (a, b) = of_effects.or_else(|| result.lens().map(|section| (&section.a, &section.b)))?;
            Some([token_name(&a.text), token_name(&b.text)])
        });
        texts.flatten().unwrap_or_default()
    });
    let error = Memo::new(move |_| {
        page.session.with(|session| {
            let error = session
                .question_state()
                .request()
                .error()
                .filter(|error| error.kind == ErrorKind::Target);
            error.map(ToString::to_string)
        })
    });
    let field = move |label: &'static str,
                      name: &'static str,
                      place: usize,
                      text: fn(&mut TargetTexts) -> &mut Option<String>| {
        let typed = move |question: &Question| text(&mut question.target_texts.clone()).clone();
        let change = move |event| {
            let typed = Some(event_target_value(&event)).filter(|typed| !typed.is_empty());
            page.ask_with(|question| *text(&mut question.target_texts) = typed);
        };
        view! {
            <label>
                <span>{label}</span>
                <input
                    type="text"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    data-testid=name
                    aria-describedby=ERROR
                    aria-invalid=move || error.get().is_some().then_some("true")
                    placeholder=move || found.with(|found| found[place].clone())
                    prop:value=move || page.question.with(typed).unwrap_or_default()
                    on:change=change
                />
            </label>
        }
    };
    view! {
        // Enter in a field triggers its change event.
        <form class="targets" novalidate on:submit=|event: SubmitEvent| event.prevent_default()>
            {field("Logit of", "target-a", 0, |texts| &mut texts.a)}
            {field("minus logit of", "target-b", 1, |texts| &mut texts.b)}
            <p class="soft">"A token\u{2019}s id, or a text that is one token, mostly with a space before it; empty for the likeliest next ones."</p>
            <div role="alert" id=ERROR>
                {move || error.get().map(|text| view! { <p class="error" data-testid="target-error">{text}</p> })}
            </div>
        </form>
    }
}
