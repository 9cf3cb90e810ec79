//! Makes the first view of the page, and the method page. Run by Node when the page is built.

fn main() {}

/// The first view of the page (HTML) for the recorded sentences `recording` (the bytes of their file). Used by
/// scripts/first-view.sh.
///
/// # Errors
/// What [`keyside::app::first_view::html`] says, as text.
#[cfg(all(feature = "page", target_arch = "wasm32"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn first_view(recording: &[u8]) -> Result<String, wasm_bindgen::JsError> {
    let recording = keyside::result::Recording::from_json(recording)?;
    Ok(keyside::app::first_view::html(&recording)?)
}

/// The content of the method page (HTML) from the Markdown `text`. Used by scripts/first-view.sh.
///
/// # Errors
/// What [`keyside::app::method::html`] says, as text.
#[cfg(all(feature = "page", target_arch = "wasm32"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn method(text: &str) -> Result<String, wasm_bindgen::JsError> {
    Ok(keyside::app::method::html(text)?)
}
