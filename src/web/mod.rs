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
    if crate::app::embed::is_asked(&document::query()) {
        return mount_frame();
    }
    console_error_panic_hook::set_once();
    document::remove("loading");
    first_view::cover();
    leptos::mount::mount_to_body(contents::App);
}

/// Mounts the one figure that the address asks for, as [`mount`] does, without the code of the rest of the page: it is
/// a third smaller for those who only read another page (`make size`).
pub fn mount_frame() {
    console_error_panic_hook::set_once();
    document::remove("loading");
    first_view::uncover();
    leptos::mount::mount_to_body(embed::Frame);
}
