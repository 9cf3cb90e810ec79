//! The choice of prompts for a run, and the reader's own prompts: typed, from a file, or dropped.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::document::text_of;
use super::page::{OWN_PROMPTS, Page};
use super::segment::Segment;
use crate::app::form::PromptChoice;
use crate::app::prompt_words;
use crate::error::{Error, ErrorKind, Result};
use crate::prompts::text::{MAX_BYTES, TextPrompts};

/// File name extensions of prompt files.
pub const ENDINGS: [&str; 2] = [".txt", ".csv"];

/// The choice between the IOI prompts and the reader's own. Choosing while the recorded run is shown leaves that run.
#[component]
pub fn PromptField(page: Page, active: Memo<bool>) -> impl IntoView {
    let chosen = Memo::new(move |_| page.form.with(|form| form.prompts));
    let option = move |choice: PromptChoice| {
        view! {
            <Segment
                name="prompts"
                value=choice.value()
                label=move || choice.label()
                chosen=Signal::derive(move || chosen.get() == choice)
                disabled=active
                choose=move || page.choose_prompts(choice)
            />
        }
    };
    view! {
        <fieldset class="prompt-choice" data-testid="prompt-choice">
            <legend>"Prompts"</legend>
            <div class="segments">{PromptChoice::ALL.map(option).collect_view()}</div>
        </fieldset>
    }
}

/// The field with the reader's own prompts, and a preview of how they are parsed.
#[component]
pub fn OwnPrompts(page: Page, active: Memo<bool>) -> impl IntoView {
    let text = Memo::new(move |_| page.form.with(|form| form.own.clone()));
    let description = move || page.form.with(prompt_words::description);
    let picker = NodeRef::<html::Input>::new();
    let picked = move |_| {
        let Some(input) = picker.get_untracked() else { return };
        let file = input.files().and_then(|files| files.item(0));
        input.set_value("");
        open(page, file);
    };
    view! {
        <div class="own-prompts">
            <div class="field">
                <label for=OWN_PROMPTS>"A prompt per line"</label>
                <textarea
                    id=OWN_PROMPTS
                    data-testid=OWN_PROMPTS
                    rows="6"
                    spellcheck="false"
                    autocomplete="off"
                    aria-describedby="own-prompts-told"
                    placeholder=prompt_words::EXAMPLE
                    prop:value=move || text.get()
                    on:input=move |event| page.form.update(|form| form.own = event_target_value(&event))
                ></textarea>
            </div>
            <p class="about" id="own-prompts-told" data-testid="own-prompts-told">{description}</p>
            <div class="buttons">
                <label class="quiet file-button" class:disabled=move || active.get()>
                    "Open a file"
                    <input type="file" accept=".txt,.csv,text/plain,text/csv" data-testid="open-prompts" node_ref=picker disabled=move || active.get() on:change=picked />
                </label>
                <button
                    type="button"
                    class="quiet"
                    data-testid="example-prompts"
                    on:click=move |_| page.form.update(|form| form.own = prompt_words::EXAMPLE.into())
                >"Example"</button>
            </div>
        </div>
    }
}

/// Uses the prompts in `file`, or shows why that is not possible.
pub fn open(page: Page, file: Option<File>) {
    let Some(file) = file else { return };
    leptos::task::spawn_local(async move {
        match read(&file).await {
            Ok(text) => page.take_prompts(text, file.name().to_ascii_lowercase().ends_with(ENDINGS[1])),
            Err(error) => page.session.update(|session| session.fail(error)),
        }
    });
}

async fn read(file: &File) -> Result<String> {
    let named = |error: Error| Error {
        cause: format!("{}: {}", file.name(), error.cause),
        ..error
    };
    if file.size() > MAX_BYTES as f64 {
        let error = Error::new(ErrorKind::Prompt, format!("the prompts are {} bytes long", file.size()));
        return Err(named(error.expected(format!("at most {MAX_BYTES}"))));
    }
    let buffer = JsFuture::from(file.array_buffer()).await;
    let buffer = buffer.map_err(|cause| {
        named(Error::new(
            ErrorKind::Prompt,
            format!("it can't be read ({})", text_of(&cause)),
        ))
    })?;
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    TextPrompts::text_of(&bytes).map(str::to_owned).map_err(named)
}
