//! Recent sentences, kept in the local storage of this browser only.

use leptos::prelude::*;

use super::super::page::Page;

/// Key in the local storage.
const KEY: &str = "keyside-sentences";
/// Greatest number of sentences.
const MOST: usize = 20;

/// The stored sentences; none where the browser stores nothing for this page.
fn kept() -> Vec<String> {
    let text = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// Stores every sentence that was answered by a model, newest first, and returns all of them.
pub fn sentences(page: Page, sentence: Page) -> RwSignal<Vec<String>> {
    let sentences = RwSignal::new(kept());
    let answered = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| Some(shown.as_ref()?.result.prompts.first()?.text.clone()))
    });
    Effect::new(move |_| {
        // Recorded sentences are among the examples already.
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
            // When the storage is full it keeps its old content; the page works without the update.
            storage.set_item(KEY, &written).ok();
        }
    });
    sentences
}
