//! A second sentence, from which activations are copied.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::page::Page;
use super::shown::of_attention;
use super::trials::of_intervention;
use crate::analysis::pair::{Extent, Intervention};
use crate::app::presets::{Preset, copies};
use crate::app::trials::TrialKind;
use crate::error::{Error, ErrorKind};
use crate::figure::sentence_words::visible;
use crate::names::Side;

/// The field, the activations that can be copied, and the tokens of both sentences one above the other.
#[component]
pub fn SecondSentence(
    page: Page,
    sentence: Page,
    second: RwSignal<String>,
    attempt: impl Fn(Intervention) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let everywhere = RwSignal::new(false);
    let offered = Memo::new(move |_| {
        let at = if everywhere.get() { Extent::All } else { Extent::Pair };
        of_attention(sentence, |section| copies(section.head, at)).unwrap_or_default()
    });
    let head = move || of_attention(sentence, |section| section.head.to_string());
    let missing = move || {
        let error = Error::new(ErrorKind::Prompt, "there is no second sentence")
            .expected("one of as many tokens, such as the same with two names exchanged");
        page.refuse(TrialKind::Intervention, error);
    };
    let is_missing = move || second.with_untracked(|text| text.trim().is_empty());
    let copy = move |intervention: Intervention| {
        if is_missing() { missing() } else { attempt(intervention) }
    };
    let swap = move |_| {
        if is_missing() {
            missing();
            return;
        }
        let before = page.question.with_untracked(|question| question.text.clone());
        let text = second.get_untracked();
        second.set(before);
        page.ask_with(|question| question.text = text);
    };
    let button = move |preset: Preset| {
        view! {
            <button
                type="button"
                class="preset"
                data-testid=format!("try-{}", preset.id)
                on:click=move |_| copy(preset.intervention)
            >{preset.label}</button>
        }
    };
    // Enter copies the first kind of activation: the query.
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(first) = offered.with_untracked(|offered| offered.first().map(|preset| preset.intervention)) {
            copy(first);
        }
    };
    view! {
        <form class="second" novalidate on:submit=submit>
            <label>
                <span>"Copy from a second sentence of as many tokens"</span>
                <input
                    type="text"
                    autocomplete="off"
                    spellcheck="false"
                    data-testid="second-input"
                    prop:value=move || second.get()
                    on:input=move |event| second.set(event_target_value(&event))
                />
            </label>
            <button type="button" class="quiet" data-testid="second-swap" on:click=swap>"Swap both sentences"</button>
            <div class="tries" role="group" aria-label="Copy">
                <span class="soft">"Copy head "{head}"\u{2019}s"</span>
                {move || offered.get().into_iter().map(button).collect_view()}
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="second-everywhere"
                        prop:checked=move || everywhere.get()
                        on:change=move |event| everywhere.set(event_target_checked(&event))
                    />
                    "at every token"
                </label>
            </div>
        </form>
        <BothStrips sentence=sentence />
    }
}

/// A token position of both sentences.
#[derive(Debug, Clone, PartialEq)]
struct Both {
    texts: [String; 2],
    side: Option<Side>,
}

/// The tokens of both sentences, once something was copied.
#[component]
fn BothStrips(sentence: Page) -> impl IntoView {
    let tokens = Memo::new(move |_| {
        let second = of_intervention(sentence, |_, section| section.second.clone()).flatten()?;
        of_attention(sentence, |section| {
            let both = section.texts.iter().zip(&second).enumerate();
            let one = |(position, (first, second)): (usize, (&String, &String))| Both {
                texts: [visible(first), visible(second)],
                side: match position {
                    _ if position == section.src => Some(Side::Key),
                    _ if position == section.dest => Some(Side::Query),
                    _ => None,
                },
            };
            both.map(one).collect::<Vec<_>>()
        })
    });
    let strip = move |which: usize, name: &'static str| {
        let cells = move || {
            let cell = |both: Both| {
                let differs = both.texts[0] != both.texts[1];
                let text = both.texts.into_iter().nth(which);
                view! { <td class=both.side.map(Side::as_str) class:differs=differs>{text}</td> }
            };
            tokens.get().map(|tokens| tokens.into_iter().map(cell).collect_view())
        };
        view! { <tr><th scope="row">{name}</th>{cells}</tr> }
    };
    view! {
        <Show when=move || tokens.with(Option::is_some)>
            <div class="both-strips" tabindex="0" role="region" aria-label="Both sentences, token by token">
                <table data-testid="both-strips">
                    <tbody>
                        {strip(0, "this one")}
                        {strip(1, "second")}
                    </tbody>
                </table>
            </div>
        </Show>
    }
}
