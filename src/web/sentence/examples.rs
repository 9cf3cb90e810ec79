//! The choice of guided examples and recorded sentences.

use leptos::prelude::*;

use super::super::page::Page;
use crate::app::form::ModelChoice;
use crate::app::guided_examples::{GUIDED_EXAMPLES, GuidedExample};

/// Prefix of the value of a guided example; the value of a recorded sentence is its number alone.
const GUIDED_VALUE: &str = "guided-";

/// The guided example whose question is the current one.
pub fn guided(page: Page) -> Memo<Option<&'static GuidedExample>> {
    Memo::new(move |_| {
        let model = page.form.with(|form| form.model);
        page.question.with(|question| GuidedExample::of(model, question))
    })
}

/// The description of the current guided example.
#[component]
pub fn GuidedExampleText(page: Page) -> impl IntoView {
    let guided = guided(page);
    move || {
        guided.get().map(|guided| {
            view! { <p class="guided" data-testid="guided"><b>{guided.name}". "</b>{guided.description.join(" ")}</p> }
        })
    }
}

/// A choice of the guided examples and of the loaded recorded sentences.
#[component]
pub fn Examples(page: Page) -> impl IntoView {
    let texts = Memo::new(move |_| {
        page.session.with(|session| {
            let texts = session.sentences().iter().map(|sentence| sentence.text.clone());
            texts.collect::<Vec<_>>()
        })
    });
    let chosen = Memo::new(move |_| {
        page.question.with(|question| {
            page.session.with(|session| {
                let same = session.sentence(question)?;
                session.sentences().iter().position(|sentence| sentence == same)
            })
        })
    });
    let choose = move |event| {
        let value: String = event_target_value(&event);
        match value.strip_prefix(GUIDED_VALUE) {
            Some(index) => {
                if let Some(guided) = index.parse().ok().and_then(|index: usize| GUIDED_EXAMPLES.get(index)) {
                    page.ask_guided(guided);
                }
            }
            None => {
                if let Ok(index) = value.parse() {
                    page.ask_example(index);
                }
            }
        }
    };
    // The chosen model, whichever it is, answers them.
    let of_sentences = move || {
        let recorded = page.form.with(|form| form.model == ModelChoice::Recorded);
        if recorded {
            "Recorded sentences, GPT-2 small"
        } else {
            "Sentences"
        }
    };
    let guided = guided(page);
    let of_model = move |model: ModelChoice, label: &'static str| {
        let of_model = GUIDED_EXAMPLES
            .iter()
            .enumerate()
            .filter(move |(_, example)| example.model == model);
        let option = move |(index, example): (usize, &'static GuidedExample)| {
            view! {
                <option
                    value=format!("{GUIDED_VALUE}{index}")
                    prop:selected=move || guided.get() == Some(example)
                >{format!("{} {}", example.name, example.head)}</option>
            }
        };
        view! { <optgroup label=label>{of_model.map(option).collect_view()}</optgroup> }
    };
    let option = move |(index, text): (usize, String)| {
        view! { <option value=index.to_string() prop:selected=move || guided.get().is_none() && chosen.get() == Some(index)>{text}</option> }
    };
    view! {
        <select class="examples" aria-label="Examples" data-testid="examples" on:change=choose>
            <option value="" prop:selected=move || guided.get().is_none() && chosen.get().is_none()>"Examples"</option>
            {of_model(ModelChoice::Bundled, "Heads of the tiny bundled model")}
            {of_model(ModelChoice::Recorded, "Heads of GPT-2 small, recorded")}
            <Show when=move || texts.with(|texts| !texts.is_empty())>
                <optgroup label=of_sentences>
                    {move || texts.get().into_iter().enumerate().map(option).collect_view()}
                </optgroup>
            </Show>
        </select>
    }
}
