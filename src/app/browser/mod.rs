//! The Leptos components, and the browser's side of the worker, files and canvases.

mod canvas;
mod controls;
mod data_table;
mod document;
mod drops;
mod export;
mod figures;
mod files;
mod link;
mod models;
mod page;
mod panel;
mod save;
mod summary;

/// Puts the page into the document's body, in place of the words that were there while it loaded.
pub fn mount() {
    console_error_panic_hook::set_once();
    document::remove("loading");
    leptos::mount::mount_to_body(page::App);
}
