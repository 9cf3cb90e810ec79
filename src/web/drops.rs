//! Files and folders dropped on the page: a result, prompts, or a model.

use js_sys::{Array, Promise};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, DragEvent, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

use super::page::{Page, Paths};
use super::{files, own_prompts};

/// The greatest folder depth and the greatest number of files that are read.
const DEEPEST: usize = 4;
const MAX_FILES: usize = 10_000;

/// Opens what is dropped anywhere on the page.
pub fn accept_drops(page: Page) {
    let over = window_event_listener(leptos::ev::dragover, |event: DragEvent| event.prevent_default());
    let dropped = window_event_listener(leptos::ev::drop, move |event: DragEvent| {
        event.prevent_default();
        let Some(transfer) = event.data_transfer() else { return };
        if page.session.with_untracked(|session| session.run().is_active()) {
            page.refuse_drop()
        } else {
            take(page, &transfer)
        }
    });
    on_cleanup(move || {
        over.remove();
        dropped.remove();
    });
}

/// The overlay that is shown while a file is dragged over the page.
#[component]
pub fn DropZone(page: Page) -> impl IntoView {
    let dragging = RwSignal::new(false);
    let enter = window_event_listener(leptos::ev::dragenter, move |_| dragging.set(true));
    let active = Memo::new(move |_| page.session.with(|session| session.run().is_active()));
    let words = move || {
        if active.get() {
            "A run is under way: cancel it, or wait for its end, before you drop something here"
        } else {
            "Drop a result file or the rows of a sweep to show them, a model\u{2019}s files or folder to run it, or a .txt or .csv file of prompts"
        }
    };
    let leave = window_event_listener(leptos::ev::dragleave, move |event: DragEvent| {
        if event.related_target().is_none() {
            dragging.set(false);
        }
    });
    let done = window_event_listener(leptos::ev::drop, move |_| dragging.set(false));
    on_cleanup(move || [enter, leave, done].into_iter().for_each(WindowListenerHandle::remove));
    view! {
        <Show when=move || dragging.get()>
            <div class="drop-zone" aria-hidden="true">{words}</div>
        </Show>
    }
}

/// Opens what `transfer` holds: a result is shown, a model is chosen.
fn take(page: Page, transfer: &DataTransfer) {
    let items = transfer.items();
    // The entries can be read only during the event.
    let entries: Vec<FileSystemEntry> = (0..items.length())
        .filter_map(|index| items.get(index)?.webkit_get_as_entry().ok().flatten())
        .collect();
    let loose = transfer.files();
    leptos::task::spawn_local(async move {
        if entries.iter().any(FileSystemEntry::is_directory) {
            page.pick(files_in(entries).await);
            return;
        }
        let count = loose.as_ref().map_or(0, web_sys::FileList::length);
        let dropped: Vec<File> = (0..count).filter_map(|index| loose.as_ref()?.item(index)).collect();
        let has_ending = |file: &File, ending: &str| file.name().to_ascii_lowercase().ends_with(ending);
        if dropped
            .iter()
            .any(|file| has_ending(file, ".safetensors") || file.name() == "config.json")
        {
            page.pick(dropped.into_iter().map(|file| (file.name(), file)).collect());
            return;
        }
        let first = dropped.into_iter().next();
        let is_prompts = |file: &File| own_prompts::ENDINGS.iter().any(|ending| has_ending(file, ending));
        if first.as_ref().is_some_and(is_prompts) {
            own_prompts::open(page, first)
        } else {
            files::open(page, first)
        }
    });
}

/// The files in `entries` and in folders among them, each with its path. Unreadable entries are skipped; a missing file
/// is reported later.
async fn files_in(entries: Vec<FileSystemEntry>) -> Paths {
    let mut found = Paths::new();
    let mut waiting: Vec<(usize, FileSystemEntry)> = entries.into_iter().map(|entry| (0, entry)).collect();
    while let Some((depth, entry)) = waiting.pop() {
        // Hidden folders, such as those of version control, hold no model.
        let is_hidden = depth > 0 && entry.name().starts_with('.');
        if found.len() >= MAX_FILES || is_hidden {
            continue;
        }
        if entry.is_file() {
            let path = entry.full_path().trim_start_matches('/').to_owned();
            let entry: FileSystemFileEntry = entry.unchecked_into();
            let file = Promise::new(&mut |resolve, reject| entry.file_with_callback_and_callback(&resolve, &reject));
            let file = JsFuture::from(file).await.ok().and_then(|file| file.dyn_into().ok());
            found.extend(file.map(|file| (path, file)));
        } else if depth < DEEPEST {
            let inside = entries_of(entry.unchecked_ref()).await;
            waiting.extend(inside.into_iter().map(|entry| (depth + 1, entry)));
        }
    }
    found
}

/// The direct children of `folder`.
async fn entries_of(folder: &FileSystemDirectoryEntry) -> Vec<FileSystemEntry> {
    let reader = folder.create_reader();
    let mut found = Vec::new();
    // `readEntries` returns portions; the last one is empty.
    loop {
        let portion = Promise::new(&mut |resolve, reject| {
            let asked = reader.read_entries_with_callback_and_callback(&resolve, &reject);
            if asked.is_err() {
                drop(reject.call0(&JsValue::NULL));
            }
        });
        let Ok(portion) = JsFuture::from(portion).await else {
            break;
        };
        let portion = Array::from(&portion);
        if portion.length() == 0 {
            break;
        }
        found.extend(portion.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
    found
}
