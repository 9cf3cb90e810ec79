//! Observers of an element's width and visibility.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, ResizeObserver};

/// How far outside the window an element counts as in view.
const MARGIN: &str = "300px 0px";

/// Keeps `width` at the width of `frame`.
pub fn width_of(frame: NodeRef<html::Div>, width: RwSignal<f64>) {
    Effect::new(move |_| {
        let Some(frame) = frame.get() else { return };
        let observed: HtmlElement = (*frame).clone();
        width.set(f64::from(observed.client_width()));
        let element = observed.clone();
        let changed = Closure::<dyn FnMut()>::new(move || width.set(f64::from(element.client_width())));
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&observed);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
        }
    });
}

/// Keeps `near` at whether `frame` is in view, or nearly. It stays true where a browser can't tell.
pub fn visibility_of(frame: NodeRef<html::Div>, near: RwSignal<bool>) {
    Effect::new(move |_| {
        let Some(frame) = frame.get() else { return };
        let changed = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            let last = entries.pop().dyn_into::<IntersectionObserverEntry>();
            if let Ok(entry) = last {
                near.set(entry.is_intersecting());
            }
        });
        let margin = IntersectionObserverInit::new();
        margin.set_root_margin(MARGIN);
        if let Ok(observer) = IntersectionObserver::new_with_options(changed.as_ref().unchecked_ref(), &margin) {
            observer.observe(&frame);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
        }
    });
}
