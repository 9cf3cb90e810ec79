//! Disclosure widgets (`<details>`). Laying out their content takes a slow machine longer than a frame, so a press
//! first turns the marker, and the content is shown or hidden after the frame that shows the turned marker.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDetailsElement, MouseEvent};

use super::scheduling::after_frame;

/// Class of a `<details>` element whose marker is turned but whose content is not toggled yet.
const TURNING: &str = "turning";

/// Installs one listener for all disclosure widgets of the document, which is never removed.
pub fn watch() {
    window_event_listener(ev::click, |event| {
        if let Some(details) = pressed(&event) {
            event.prevent_default();
            // Without the class the marker turns when the content is toggled.
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
