//! Result files: downloads, and opening a result or the rows of a sweep.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::document::text_of;
use super::page::Page;
use super::save::save_text;
use crate::app::sweep_maps::SweepMaps;
use crate::app::words;
use crate::error::{Error, ErrorKind, Result};
use crate::result::{MAX_BYTES, ResultFile};

/// Offers `result` as a download.
///
/// # Errors
/// [`ErrorKind::ResultFile`] when it can't be written, [`ErrorKind::Source`] when the browser refuses.
fn download(result: &ResultFile) -> Result<()> {
    save_text(&words::file_name(result), "application/json", &result.to_json()?)
}

/// File name extensions of the rows of a sweep.
const ROWS: [&str; 2] = [".jsonl", ".ndjson"];

async fn read(file: &File) -> Result<Vec<u8>> {
    if file.size() > MAX_BYTES as f64 {
        return Err(Error::new(
            ErrorKind::ResultFile,
            format!("{} is too large for a result file", file.name()),
        )
        .expected(format!("at most {} MiB", MAX_BYTES >> 20)));
    }
    let buffer = JsFuture::from(file.array_buffer()).await.map_err(|cause| {
        Error::new(
            ErrorKind::ResultFile,
            format!("{} can't be read ({})", file.name(), text_of(&cause)),
        )
    })?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Shows the result, or the sweep, in `file`.
pub fn open(page: Page, file: Option<File>) {
    let Some(file) = file else { return };
    leptos::task::spawn_local(async move {
        let (name, bytes) = (file.name(), read(&file).await);
        let lower = name.to_ascii_lowercase();
        if ROWS.iter().any(|ending| lower.ends_with(ending)) {
            page.open_sweep(bytes.and_then(|bytes| SweepMaps::read(&name, &bytes)))
        } else {
            page.open(&name, bytes.and_then(|bytes| ResultFile::from_json(&bytes)))
        }
    });
}

/// The buttons "Download result" and "Open result".
#[component]
pub fn Files(page: Page) -> impl IntoView {
    let picker = NodeRef::<html::Input>::new();
    let active = move || page.session.with(|session| session.run().is_active());
    let no_download = move || {
        page.shown
            .with(|shown| shown.as_ref().is_none_or(|shown| shown.is_partial()))
    };
    let save = move |_| {
        let saved = page
            .shown
            .with_untracked(|shown| shown.as_ref().map(|shown| download(&shown.result)));
        if let Some(Err(error)) = saved {
            page.session.update(|session| session.fail(error));
        }
    };
    let picked = move |_| {
        if let Some(input) = picker.get_untracked() {
            open(page, input.files().and_then(|files| files.item(0)));
            input.set_value("");
        }
    };
    view! {
        <div class="files">
            <button type="button" class="quiet" data-testid="download-result" disabled=no_download on:click=save>
                "Download result"
            </button>
            <label class="quiet file-button" class:disabled=active>
                "Open result"
                <input type="file" accept=".json,application/json,.jsonl,.ndjson" data-testid="open-result" node_ref=picker disabled=active on:change=picked />
            </label>
        </div>
    }
}
