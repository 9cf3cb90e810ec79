//! The field for the sentence, the model that is asked, and the progress of the question.

use leptos::ev::{ClipboardEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::super::document;
use super::super::page::Page;
use super::super::panel::{LostWorker, NoticeLines};
use super::examples::Examples;
use super::offer::{Offer, Unasked, is_answered_by_recording, is_unasked};
use super::recent;
use super::specials::Specials;
use crate::app::form::ModelChoice;
use crate::app::sentence_lines::{SentenceLines, in_short};
use crate::app::session;
use crate::app::words;
use crate::error::{Error, ErrorKind};

/// Id of the field.
pub const FIELD: &str = "sentence-input";

/// The field, the choice of the model, and messages about the question.
#[component]
pub fn SentenceField(page: Page, sentence: Page) -> impl IntoView {
    let recent = recent::sentences(page, sentence);
    let typed = move || page.lines.with(|lines| lines.text().to_owned());
    // A link, an example or "back" may set another sentence.
    Effect::new(move |before: Option<String>| {
        let text = page.question.with(|question| question.text.clone());
        // Not at first: the reader may have begun to type.
        if before.is_some_and(|before| before != text) {
            page.lines.update(|lines| lines.bring(&text));
        }
        text
    });
    // While nothing is typed, the first recorded sentence is asked about.
    let arrived = Memo::new(move |_| page.session.with(|session| !session.sentences().is_empty()));
    let recorded = Memo::new(move |_| page.form.with(|form| form.model == ModelChoice::Recorded));
    Effect::new(move |_| {
        let empty = || {
            page.question.with(|question| question.text.is_empty())
                && page.lines.with(|lines| lines.text().is_empty() && !lines.are_several())
        };
        if arrived.get() && recorded.get() && untrack(empty) {
            page.ask_example(0);
        }
    });
    let look = move || {
        let text = untrack(typed);
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
    let field = NodeRef::<html::Input>::new();
    let refused = move |error: Error| page.session.update(|session| session.fail_asking(error));
    let key = move |event: KeyboardEvent| {
        if event.key() != "Enter" || !event.shift_key() || event.is_composing() {
            return;
        }
        let Some((before, after)) = around_caret(field) else {
            return;
        };
        event.prevent_default();
        let split = page.lines.try_update(|lines| lines.split(&before, &after));
        if let Some(Err(error)) = split {
            refused(error);
        }
    };
    // A single-line field would join pasted lines into one sentence.
    let paste = move |event: ClipboardEvent| {
        let pasted = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
        let Some(pasted) = pasted.filter(|pasted| pasted.contains(['\n', '\r'])) else {
            return;
        };
        let Some((before, after)) = around_caret(field) else {
            return;
        };
        event.prevent_default();
        let inserted = page
            .lines
            .try_update(|lines| lines.insert(&before, &pasted.replace('\r', "\n"), &after));
        if let Some(Err(error)) = inserted {
            refused(error);
        }
    };
    view! {
        <form
            class="ask-form"
            novalidate
            on:submit=move |event: SubmitEvent| {
                event.prevent_default();
                page.agree();
                look();
            }
        >
            <label class="visually-hidden" for=FIELD>"Sentence"</label>
            <input
                id=FIELD
                data-testid=FIELD
                type="text"
                autocomplete="off"
                spellcheck="false"
                placeholder="Type a sentence, then Enter"
                title="Shift and Enter begin another sentence; several lines that are pasted are several sentences"
                aria-describedby="sentence-told"
                list="recent-sentences"
                node_ref=field
                prop:value=typed
                on:input=move |event| page.lines.update(|lines| lines.set(event_target_value(&event)))
                on:keydown=key
                on:paste=paste
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
        <Several page=page choose=look />
        <QuestionStatus page=page />
    }
}

/// Whose answer is shown (recording or model), below the field.
#[component]
pub fn AnswerSource(sentence: Page) -> impl IntoView {
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
    view! { <p class="soft" data-testid="sentence-model">{model}</p> }
}

/// The text before and after the selection of `field`, or around its caret.
fn around_caret(field: NodeRef<html::Input>) -> Option<(String, String)> {
    let field = field.get_untracked()?;
    // In UTF-16 code units, as browsers count.
    let units: Vec<u16> = field.value().encode_utf16().collect();
    let at = |place: Option<u32>| place.map_or(units.len(), |place| units.len().min(place as usize));
    let start = at(field.selection_start().ok().flatten());
    let end = at(field.selection_end().ok().flatten()).max(start);
    let text = |units: &[u16]| String::from_utf16_lossy(units);
    Some((text(&units[..start]), text(&units[end..])))
}

/// The list of sentences, where there are several: a click puts one into the field, and `choose` asks about it.
#[component]
fn Several(page: Page, choose: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let texts = Memo::new(move |_| page.lines.with(|lines| lines.texts().to_vec()));
    let at = Memo::new(move |_| page.lines.with(SentenceLines::at));
    let take = move |index: usize| {
        page.lines.update(|lines| lines.choose(index));
        choose();
    };
    let remove = move |_| {
        page.lines.update(SentenceLines::remove);
        document::focus(FIELD);
    };
    let one = move |(index, text): (usize, String)| {
        view! {
            <li>
                <button
                    type="button"
                    class="preset"
                    title=text.clone()
                    aria-pressed=move || (at.get() == index).to_string()
                    on:click=move |_| take(index)
                >
                    <span class="number">{index + 1}</span>
                    {in_short(&text)}
                </button>
            </li>
        }
    };
    view! {
        <Show when=move || page.lines.with(SentenceLines::are_several)>
            <div class="lines">
                <ol aria-label="Your sentences" data-testid="lines">
                    {move || texts.get().into_iter().enumerate().map(one).collect_view()}
                </ol>
                <button type="button" class="quiet" data-testid="remove-line" on:click=remove>
                    {move || format!("Remove line {}", at.get() + 1)}
                </button>
            </div>
        </Show>
    }
}

/// Messages about the question: what is missing, what is in progress, errors.
#[component]
fn QuestionStatus(page: Page) -> impl IntoView {
    let answered = is_answered_by_recording(page);
    let unasked = is_unasked(page);
    let missing = Memo::new(move |_| {
        page.form.with(|form| form.model == ModelChoice::Recorded)
            && page.question.with(|question| !question.text.trim().is_empty())
            && !answered.get()
            && !page.sentences_awaited.get()
    });
    let error = Memo::new(move |_| {
        // An error of a target token is shown at its field.
        let error = page.session.with(|session| {
            let error = session
                .question_state()
                .request()
                .error()
                .filter(|error| error.kind != ErrorKind::Target);
            error.map(ToString::to_string)
        });
        // The error names the line that was current when it occurred.
        error.map(|error| untrack(|| page.lines.with(SentenceLines::place)) + &error)
    });
    let description = Memo::new(move |_| error.with(Option::is_some));
    let busy = Memo::new(move |_| {
        page.session
            .with(|session| session.question_state().request().is_active())
    });
    view! {
        <div id="sentence-told" class="told">
            <Show when=move || missing.get()>
                <Offer
                    page=page
                    words="This is not recorded: nothing is known of it without a model. A model computes it here, on this device."
                    name="sentence-offer"
                />
            </Show>
            <Show when=move || unasked.get()>
                <Unasked page=page />
            </Show>
            <div role="alert">
                {move || error.get().map(|text| view! { <p class="error" data-testid="sentence-error">{text}</p> })}
            </div>
            <LostWorker page=page description=description />
            <NoticeLines page=page />
            <Specials page=page />
            <Show when=move || busy.get()>
                <Progress page=page />
            </Show>
        </div>
    }
}

/// The progress of the answer: shown after a moment, with a cancel button when it takes long.
#[component]
fn Progress(page: Page) -> impl IntoView {
    let progress = move || {
        page.session
            .with(|session| session.question_state().request().progress().cloned())
    };
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
