//! Downloads and the clipboard.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Clipboard, ClipboardItem, HtmlAnchorElement, HtmlCanvasElement, Url};

use super::document::text_of;
use crate::error::{Error, ErrorKind, Result};

/// How long a blob URL stays valid: the browser may ask the reader where to save.
const KEPT: Duration = Duration::from_secs(60);

/// Offers `text` as the download `name` with the MIME type `kind`.
///
/// # Errors
/// [`ErrorKind::Source`] when the browser refuses.
pub fn save_text(name: &str, kind: &str, text: &str) -> Result<()> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = js_sys::Array::of1(&text.into());
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options);
    save(name, &blob.map_err(|cause| not_saved(name, &cause))?)
}

/// Offers `blob` as the download `name`.
///
/// # Errors
/// [`ErrorKind::Source`] when the browser refuses.
pub fn save(name: &str, blob: &Blob) -> Result<()> {
    let failed = |cause: JsValue| not_saved(name, &cause);
    let url = Url::create_object_url_with_blob(blob).map_err(failed)?;
    let link: HtmlAnchorElement = document().create_element("a").map_err(failed)?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    set_timeout(move || drop(Url::revoke_object_url(&url)), KEPT);
    Ok(())
}

fn not_saved(name: &str, cause: &JsValue) -> Error {
    Error::new(ErrorKind::Source, format!("{name} can't be saved ({})", text_of(cause)))
}

/// The picture on `canvas` as PNG; the promise is of a [`Blob`].
pub fn png(canvas: &HtmlCanvasElement) -> js_sys::Promise {
    js_sys::Promise::new(&mut |resolve, reject| {
        let refused = reject.clone();
        let done = Closure::once_into_js(move |blob: JsValue| {
            let settled = if blob.is_null() {
                refused.call1(&JsValue::NULL, &js_sys::Error::new("the picture is too large"))
            } else {
                resolve.call1(&JsValue::NULL, &blob)
            };
            drop(settled);
        });
        if let Err(cause) = canvas.to_blob(done.unchecked_ref()) {
            drop(reject.call1(&JsValue::NULL, &cause));
        }
    })
}

/// Starts to copy `text`; see [`copied`].
///
/// # Errors
/// [`ErrorKind::Source`] when the browser has no clipboard for this page.
pub fn copy_text(text: &str) -> Result<js_sys::Promise> {
    Ok(clipboard()?.write_text(text))
}

/// Starts to copy the picture that `png` resolves to. Some browsers insist that this is called while the click is
/// handled.
///
/// # Errors
/// [`ErrorKind::Source`] when the browser has no clipboard for this page, or none for pictures.
pub fn copy_png(png: &js_sys::Promise) -> Result<js_sys::Promise> {
    let clipboard = clipboard()?;
    let parts = js_sys::Object::new();
    let item = js_sys::Reflect::set(&parts, &"image/png".into(), png)
        .and_then(|_| ClipboardItem::new_with_record_from_str_to_blob_promise(&parts))
        .map_err(|cause| not_copied(&cause))?;
    Ok(clipboard.write(&js_sys::Array::of1(&item)))
}

/// Waits until copying has finished.
///
/// # Errors
/// [`ErrorKind::Source`] when the browser or the reader refuses.
pub async fn copied(promise: js_sys::Promise) -> Result<()> {
    JsFuture::from(promise).await.map_err(|cause| not_copied(&cause))?;
    Ok(())
}

fn clipboard() -> Result<Clipboard> {
    let navigator = window().navigator();
    let there = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_object());
    if there {
        Ok(navigator.clipboard())
    } else {
        Err(
            Error::new(ErrorKind::Source, "this browser gives this page no clipboard")
                .expected("a page over https")
                .advice("Save the file instead."),
        )
    }
}

/// The error for a failed copy.
pub fn not_copied(cause: &JsValue) -> Error {
    let cause = text_of(cause);
    let cause = cause.trim_end_matches('.');
    Error::new(
        ErrorKind::Source,
        format!("the browser did not let this page copy ({cause})"),
    )
    .advice("Allow it to use the clipboard, or save the file instead.")
}
