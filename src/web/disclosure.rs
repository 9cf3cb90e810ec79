//! What unfolds. All that is unfolded takes a slow machine longer than a frame; so a press turns the mark first, and unfolds
//! after the frame that shows it.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDetailsElement, MouseEvent};

use super::scheduling::after_frame;

/// The class of what is about to be unfolded, or folded.
const TURNING: &str = "turning";

/// Watches all disclosures of the document, for as long as it is there.
pub fn watch() {
    window_event_listener(ev::click, |event| {
        if let Some(details) = pressed(&event) {
            event.prevent_default();
            // A mark that can't be turned is turned with what it unfolds.
            details.class_list().toggle(TURNING).ok();
            after_frame(move || {
                details.class_list().remove_1(TURNING).ok();
                details.set_open(!details.open());
            });
        }
    });
}

/// The disclosure whose summary was pressed.
fn pressed(event: &MouseEvent) -> Option<HtmlDetailsElement> {
    let target = event.target().filter(|_| !event.default_prevented())?;
    let summary = target.dyn_into::<Element>().ok()?.closest("summary").ok()??;
    summary.parent_element()?.dyn_into().ok()
}
