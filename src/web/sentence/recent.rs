//! The last sentences, at hand on this device alone.

use leptos::prelude::*;

use super::super::page::Page;

/// Where they are kept.
const KEY: &str = "keyside-sentences";
/// How many.
const MOST: usize = 20;

/// What is kept; nothing where the browser keeps nothing for this page.
fn kept() -> Vec<String> {
    let text = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// Keeps every sentence that was answered, the last one first, and answers with all of them.
pub fn sentences(page: Page, sentence: Page) -> RwSignal<Vec<String>> {
    let sentences = RwSignal::new(kept());
    let answered = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| Some(shown.as_ref()?.result.prompts.first()?.text.clone()))
    });
    Effect::new(move |_| {
        // What a recording answers is among the examples.
        let Some(text) = answered
            .get()
            .filter(|_| page.form.with_untracked(|form| form.model.is_computed()))
        else {
            return;
        };
        sentences.update(|sentences| {
            sentences.retain(|known| *known != text);
            sentences.insert(0, text);
            sentences.truncate(MOST);
        });
        let written = sentences.with_untracked(serde_json::to_string).ok();
        if let (Some(storage), Some(written)) = (storage(), written) {
            // A full storage keeps what it has; the page works as well.
            storage.set_item(KEY, &written).ok();
        }
    });
    sentences
}
