//! Files and folders that are dropped on the page: a result, or a model.

use js_sys::{Array, Promise};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, DragEvent, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

use super::page::Page;
use super::{files, own_prompts};

/// What the files of a model are called where they have no folder.
pub const LOOSE: &str = "picked files";

/// Opens what is dropped anywhere on the page.
pub fn accept_drops(page: Page) {
    let over = window_event_listener(leptos::ev::dragover, |event: DragEvent| event.prevent_default());
    let dropped = window_event_listener(leptos::ev::drop, move |event: DragEvent| {
        event.prevent_default();
        if let (false, Some(transfer)) = (
            page.session.with_untracked(|session| session.run().is_active()),
            event.data_transfer(),
        ) {
            take(page, &transfer);
        }
    });
    on_cleanup(move || {
        over.remove();
        dropped.remove();
    });
}

/// What is shown while a file is dragged over the page.
#[component]
pub fn DropZone(page: Page) -> impl IntoView {
    let dragging = RwSignal::new(false);
    let enter = window_event_listener(leptos::ev::dragenter, move |_| {
        dragging.set(!page.session.with_untracked(|session| session.run().is_active()));
    });
    let leave = window_event_listener(leptos::ev::dragleave, move |event: DragEvent| {
        if event.related_target().is_none() {
            dragging.set(false);
        }
    });
    let done = window_event_listener(leptos::ev::drop, move |_| dragging.set(false));
    on_cleanup(move || [enter, leave, done].into_iter().for_each(WindowListenerHandle::remove));
    view! {
        <Show when=move || dragging.get()>
            <div class="drop-zone" aria-hidden="true">"Drop a result file to show it, a model\u{2019}s files or folder to run it, or a .txt or .csv file of prompts"</div>
        </Show>
    }
}

/// Shows the result, or chooses the model, that `transfer` holds.
fn take(page: Page, transfer: &DataTransfer) {
    let items = transfer.items();
    // What was dropped can be asked for during the event only.
    let entries: Vec<FileSystemEntry> = (0..items.length())
        .filter_map(|index| items.get(index)?.webkit_get_as_entry().ok().flatten())
        .collect();
    let loose = transfer.files();
    leptos::task::spawn_local(async move {
        let folder = entries.iter().find(|entry| entry.is_directory());
        if let Some(folder) = folder {
            page.pick(&folder.name(), files_in(folder.unchecked_ref()).await);
            return;
        }
        let count = loose.as_ref().map_or(0, web_sys::FileList::length);
        let dropped: Vec<File> = (0..count).filter_map(|index| loose.as_ref()?.item(index)).collect();
        let ends = |file: &File, ending: &str| file.name().to_ascii_lowercase().ends_with(ending);
        if dropped.iter().any(|file| ends(file, ".safetensors")) {
            page.pick(LOOSE, dropped);
            return;
        }
        let first = dropped.into_iter().next();
        let is_prompts = |file: &File| own_prompts::ENDINGS.iter().any(|ending| ends(file, ending));
        match first.as_ref().is_some_and(is_prompts) {
            true => own_prompts::open(page, first),
            false => files::open(page, first),
        }
    });
}

/// The files directly in `folder`. What can't be read is left out, and then found missing.
async fn files_in(folder: &FileSystemDirectoryEntry) -> Vec<File> {
    let reader = folder.create_reader();
    let mut found = Vec::new();
    // A folder comes in portions; the last one is empty.
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
        for entry in portion
            .iter()
            .filter(|entry| entry.unchecked_ref::<FileSystemEntry>().is_file())
        {
            let entry: FileSystemFileEntry = entry.unchecked_into();
            let file = Promise::new(&mut |resolve, reject| entry.file_with_callback_and_callback(&resolve, &reject));
            found.extend(JsFuture::from(file).await.ok().and_then(|file| file.dyn_into().ok()));
        }
    }
    found
}
