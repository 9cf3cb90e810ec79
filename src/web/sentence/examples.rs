//! The recorded sentences, one of which is chosen.

use leptos::prelude::*;

use super::super::page::Page;

/// A choice of the recorded sentences, once they have arrived.
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
        if let Ok(index) = event_target_value(&event).parse() {
            page.ask_example(index);
        }
    };
    let option = move |(index, text): (usize, String)| {
        view! { <option value=index.to_string() prop:selected=move || chosen.get() == Some(index)>{text}</option> }
    };
    view! {
        <Show when=move || texts.with(|texts| !texts.is_empty())>
            <select class="examples" aria-label="Examples" data-testid="examples" on:change=choose>
                <option value="" prop:selected=move || chosen.get().is_none()>"Examples"</option>
                {move || texts.get().into_iter().enumerate().map(option).collect_view()}
            </select>
        </Show>
    }
}
