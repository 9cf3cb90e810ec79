//! What the model expects next.

use leptos::prelude::*;

use super::super::page::Page;
use crate::analysis::pair::{NextToken, Question};
use crate::figure::sentence_words::{percent, visible};

/// The card with the likeliest next tokens; a click appends one.
#[component]
pub fn NextTokens(page: Page, sentence: Page) -> impl IntoView {
    let next = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| shown.as_ref()?.result.next().map(|section| section.tokens.clone()))
    });
    // What comes after the last token continues the sentence; what comes after another one replaces the rest.
    let go_on = move |text: String| {
        let kept = sentence.shown.with_untracked(|shown| {
            let section = shown.as_ref()?.result.attention()?;
            let begins = usize::from(page.question.with_untracked(|question| question.prepend_bos));
            Some(section.texts.get(begins..=section.dest)?.concat())
        });
        if let Some(kept) = kept {
            page.ask_with(|question| {
                *question = Question {
                    text: kept + &text,
                    prepend_bos: question.prepend_bos,
                    ..Question::default()
                };
            });
        }
    };
    let row = move |token: NextToken| {
        let share = token.logprob.exp();
        let text = token.text.clone();
        view! {
            <li>
                <button
                    type="button"
                    class="next-token"
                    style=("--share", format!("{share:.4}"))
                    title=format!("token {}", token.token)
                    on:click=move |_| go_on(text.clone())
                >
                    <code>{visible(&token.text)}</code>
                    <span>{percent(share)}</span>
                </button>
            </li>
        }
    };
    view! {
        <section class="card" data-testid="card-next">
            <h2>"What comes next?"</h2>
            <p class="soft">"The likeliest tokens after the query. A click continues the sentence with one."</p>
            <ol class="next-tokens" data-testid="next-tokens">
                {move || next.get().map(|tokens| tokens.into_iter().map(row).collect_view())}
            </ol>
        </section>
    }
}
