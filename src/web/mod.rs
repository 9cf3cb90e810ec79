//! Everything that uses browser APIs: the Leptos components, canvases, files, storage, `fetch`, and the worker's
//! environment.

mod ablation;
mod address_bar;
mod asset_paths;
mod contents;
mod controls;
mod data_table;
mod document;
mod drops;
mod embed;
mod evidence;
mod export;
mod fetch;
mod figures;
mod files;
mod first_view;
mod handover;
mod kernels;
mod link;
mod masthead;
mod method_link;
mod models;
mod opfs;
mod own_prompts;
mod page;
mod panel;
mod permalink;
mod picked;
mod readback;
mod save;
mod scheduling;
mod segment;
mod sentence;
mod story;
mod story_page;
mod summary;
mod sweep_maps;
mod tabs;
mod theme;
mod worker;

pub use opfs::OpfsStore;
pub use worker::start_worker;

/// Mounts the page, or the one figure that its address asks for, into the document's body, and removes the loading
/// text.
pub fn mount() {
    // Without a window this runs in scripts/finish-page.mjs, which renders the first view.
    if web_sys::window().is_none() {
        return;
    }
    console_error_panic_hook::set_once();
    document::remove("loading");
    if crate::app::embed::is_asked(&document::query()) {
        first_view::uncover();
        leptos::mount::mount_to_body(embed::Frame);
    } else {
        first_view::cover();
        leptos::mount::mount_to_body(contents::App);
    }
}
