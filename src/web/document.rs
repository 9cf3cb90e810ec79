//! Small helpers for the document and the window.

use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Element, HtmlElement, HtmlInputElement, Response, ScrollIntoViewOptions, ScrollLogicalPosition, StorageEstimate,
    Url,
};

use super::scheduling::after_frame;
use crate::error::{Error, ErrorKind, Result};

/// Removes the element `id`, if there is one.
pub fn remove(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.remove();
    }
}

/// `address`, which may be relative to the page, as an absolute URL.
pub fn absolute(address: &str) -> Option<String> {
    let base = document().base_uri().ok().flatten()?;
    Url::new_with_base(address, &base).ok().map(|url| url.href())
}

/// The content of the page's `<meta>` element `name`.
pub fn meta(name: &str) -> Option<String> {
    let element = document()
        .query_selector(&format!("meta[name=\"{name}\"]"))
        .ok()
        .flatten()?;
    element.get_attribute("content")
}

/// The query of the page's address, with the question mark; empty where there is none.
pub fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// The page's origin; "null" where it has none of its own.
pub fn origin() -> String {
    window().origin()
}

/// Device pixels per CSS pixel.
pub fn pixel_ratio() -> f64 {
    window().device_pixel_ratio()
}

/// Height of the window, in CSS pixels.
pub fn inner_height() -> f64 {
    let height = window().inner_height().ok().and_then(|height| height.as_f64());
    height.unwrap_or(f64::INFINITY)
}

/// After the next frame, scrolls as little as needed to bring all of `element` into view.
pub fn bring_into_view(element: Element) {
    after_frame(move || {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    });
}

/// Scrolls to the top of the page, which then shows other content.
pub fn to_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
    focus(TOP);
}

/// Id of the element that the skip link points to.
pub const TOP: &str = "results";

/// Whether the element `id` has the keyboard's focus.
pub fn has_focus(id: &str) -> bool {
    document().active_element().is_some_and(|element| element.id() == id)
}

/// Approximate number of bytes that the browser stores for this page. None where it does not report it.
pub async fn stored_bytes() -> Option<f64> {
    let navigator = window().navigator();
    // `navigator.storage` is missing over plain http from another machine.
    let there = js_sys::Reflect::get(&navigator, &"storage".into()).is_ok_and(|found| found.is_object());
    let asked = there.then(|| navigator.storage().estimate().ok()).flatten()?;
    let estimate: StorageEstimate = JsFuture::from(asked).await.ok()?.unchecked_into();
    estimate.get_usage()
}

/// Gives the element `id` the keyboard's focus.
pub fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // An element that can't take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// Gives the field `id` the keyboard's focus and selects its text, so that typing replaces it.
pub fn select(id: &str) {
    focus(id);
    let element = document().get_element_by_id(id);
    if let Some(field) = element.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        field.select();
    }
}

/// Reads the file at `address`, which may be relative to the page.
///
/// # Errors
/// [`ErrorKind::Source`] when it can't be had.
pub async fn fetch(address: &str) -> Result<Vec<u8>> {
    let failed = |cause: String| {
        Error::new(ErrorKind::Source, format!("{address} can't be read ({cause})")).advice("Reload the page.")
    };
    let answer = JsFuture::from(window().fetch_with_str(address))
        .await
        .map_err(|cause| failed(text_of(&cause)))?;
    let response: Response = answer.dyn_into().map_err(|other| failed(text_of(&other)))?;
    if !response.ok() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let promise = response.array_buffer().map_err(|cause| failed(text_of(&cause)))?;
    let buffer = JsFuture::from(promise).await.map_err(|cause| failed(text_of(&cause)))?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Diagnoses why the page's own file at `address` did not load; None where that can't be determined.
pub async fn what_is_wrong(address: &str) -> Option<String> {
    // The function is defined in scripts/page/diagnose.js, which is loaded by the page's first script.
    let ask: js_sys::Function = js_sys::Reflect::get(&window(), &"keysideWhatIsWrong".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let asked: js_sys::Promise = ask.call1(&JsValue::UNDEFINED, &address.into()).ok()?.dyn_into().ok()?;
    JsFuture::from(asked).await.ok()?.as_string()
}

/// Loads the page again.
pub fn reload() {
    // If the browser refuses, its own reload button still works.
    let _ = window().location().reload();
}

/// The message of a JavaScript error.
pub fn text_of(value: &JsValue) -> String {
    match value.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => value.as_string().unwrap_or_else(|| format!("{value:?}")),
    }
}
