//! The Leptos components, and the browser's side of the worker, files and canvases.

mod contents;
mod controls;
mod data_table;
mod disclosure;
mod document;
mod drops;
mod embed;
mod export;
mod figures;
mod files;
mod first_view;
mod handover;
mod later;
mod link;
mod masthead;
mod models;
mod page;
mod panel;
mod permalink;
mod rehearsal;
mod save;
mod story;
mod summary;
mod theme;

/// Puts the page, or the one figure that its address asks for, into the document's body, in place of the words that were
/// there while it loaded.
pub fn mount() {
    // Without a window the page is being built: scripts/finish-page.mjs asks for its first view.
    if web_sys::window().is_none() {
        return;
    }
    console_error_panic_hook::set_once();
    document::remove("loading");
    disclosure::watch();
    if crate::app::embed::is_asked(&document::query()) {
        first_view::uncover();
        leptos::mount::mount_to_body(embed::Frame);
    } else {
        first_view::cover();
        leptos::mount::mount_to_body(contents::App);
    }
}
