//! Texts of special tokens in the sentence, and the choice of how they are tokenized.

use leptos::prelude::*;

use super::super::page::Page;
use super::super::segment::Segment;
use crate::figure::sentence_words::specials_words;

/// A notice that the sentence holds the text of a special token, with both ways to tokenize it.
#[component]
pub fn Specials(page: Page) -> impl IntoView {
    let specials = Memo::new(move |_| {
        page.question.with(|question| {
            page.session
                .with(|session| session.question_state().specials_in(&question.text).to_vec())
        })
    });
    let as_text = Memo::new(move |_| page.question.with(|question| question.special_as_text));
    let option = move |value: &'static str, label: &'static str, text: bool| {
        view! {
            <Segment
                name="special"
                value=value
                label=move || label
                chosen=Signal::derive(move || as_text.get() == text)
                choose=move || {
                    page.ask_with(|question| {
                        question.special_as_text = text;
                        // The positions of tokens change.
                        (question.dest, question.src, question.relative, question.down) = (None, None, None, None);
                    });
                }
            />
        }
    };
    view! {
        <Show when=move || specials.with(|specials| !specials.is_empty())>
            <div class="specials" data-testid="specials">
                <p role="status">{move || specials.with(|specials| specials_words(specials, as_text.get()))}</p>
                <fieldset class="segments small">
                    <legend class="visually-hidden">"How it is read"</legend>
                    {option("token", "Special token", false)}
                    {option("text", "Plain text", true)}
                </fieldset>
            </div>
        </Show>
    }
}
