//! The most likely next tokens, and sampling.

use std::str::FromStr;

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::page::Page;
use super::shown::lacks;
use crate::analysis::pair::NextToken;
use crate::app::form::ModelChoice;
use crate::error::{Error, ErrorKind};
use crate::figure::sentence_words::{percent_in_short, visible};
use crate::forward::Sampling;

/// The card with the most likely next tokens; a click appends one.
#[component]
pub fn NextTokens(page: Page, sentence: Page) -> impl IntoView {
    let next = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| shown.as_ref()?.result.next().map(|section| section.tokens.clone()))
    });
    // A token that follows the last one continues the sentence; one that follows an earlier token replaces the rest.
    let go_on = move |text: String| {
        let kept = sentence.shown.with_untracked(|shown| {
            let section = shown.as_ref()?.result.attention()?;
            let begins = usize::from(page.question.with_untracked(|question| question.prepend_bos));
            Some(section.texts.get(begins..=section.dest)?.concat())
        });
        if let Some(kept) = kept {
            page.ask_anew(kept + &text);
        }
    };
    let missing = lacks(sentence, |result| result.next().is_some());
    let words = move || {
        if missing.get() {
            "What comes after this token is not recorded."
        } else {
            "The likeliest tokens after the query. A click continues the sentence with one."
        }
    };
    let model = Memo::new(move |_| page.form.with(|form| form.model != ModelChoice::Recorded));
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
                    <span>{percent_in_short(share)}</span>
                </button>
            </li>
        }
    };
    view! {
        <section class="card" data-testid="card-next">
            <h2><span class="number">"4"</span>"What comes next?"</h2>
            <p class="soft">{words}</p>
            <Show when=move || model.get()>
                <GoOn page=page />
            </Show>
            <ol class="next-tokens" data-testid="next-tokens">
                {move || next.get().map(|tokens| tokens.into_iter().map(row).collect_view())}
            </ol>
        </section>
    }
}

/// The settings of sampling, as typed.
#[derive(Debug, Clone, PartialEq)]
struct Typed {
    count: String,
    temperature: String,
    top_k: String,
    top_p: String,
    seed: String,
}

impl Typed {
    fn new() -> Self {
        let usual = Sampling::default();
        Self {
            count: "10".into(),
            temperature: usual.temperature.to_string(),
            top_k: String::new(),
            top_p: String::new(),
            seed: usual.seed.to_string(),
        }
    }

    /// Parses the settings; the error is the name of the first invalid field.
    fn read(&self) -> Result<(usize, Sampling), &'static str> {
        let sampling = Sampling {
            temperature: needed(&self.temperature).ok_or("temperature")?,
            top_k: optional(&self.top_k).ok_or("top-k")?,
            top_p: optional(&self.top_p).ok_or("top-p")?,
            seed: needed(&self.seed).ok_or("seed")?,
        };
        Ok((needed(&self.count).ok_or("tokens")?, sampling))
    }
}

fn needed<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// A number; `Some(None)` where the text is empty, None where it is no number.
fn optional<T: FromStr>(text: &str) -> Option<Option<T>> {
    if text.trim().is_empty() {
        Some(None)
    } else {
        needed(text).map(Some)
    }
}

/// The controls that let the model continue the sentence.
#[component]
fn GoOn(page: Page) -> impl IntoView {
    let typed = RwSignal::new(Typed::new());
    let field = move |label: &'static str, name: &'static str, text: fn(&mut Typed) -> &mut String| {
        view! {
            <label>
                <span>{label}</span>
                <input
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    data-testid=format!("sample-{name}")
                    prop:value=move || text(&mut typed.get()).clone()
                    on:input=move |event| typed.update(|typed| *text(typed) = event_target_value(&event))
                />
            </label>
        }
    };
    let go_on = move |event: SubmitEvent| {
        event.prevent_default();
        match typed.with_untracked(Typed::read) {
            Ok((count, sampling)) => page.go_on(count, sampling),
            Err(field) => {
                let error = Error::new(
                    ErrorKind::Request,
                    format!("the field \"{field}\" does not hold a number"),
                )
                .expected("a number such as 1 or 0.9");
                page.session.update(|session| session.fail_asking(error));
            }
        }
    };
    view! {
        <details class="go-on" data-testid="go-on">
            <summary>"Generate more"</summary>
            <form on:submit=go_on novalidate>
                {field("Tokens", "count", |typed| &mut typed.count)}
                {field("Temperature", "temperature", |typed| &mut typed.temperature)}
                {field("Top-k", "top-k", |typed| &mut typed.top_k)}
                {field("Top-p", "top-p", |typed| &mut typed.top_p)}
                {field("Seed", "seed", |typed| &mut typed.seed)}
                <button type="submit" data-testid="go-on-button">"Go on"</button>
            </form>
        </details>
    }
}
