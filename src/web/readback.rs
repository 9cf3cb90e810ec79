//! Detects whether a canvas returns the pixels that were drawn. Protection against fingerprinting alters the pixels
//! that a page reads, so that a saved or copied picture would be noise.

use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap, ImageData};

use super::save;

/// Side of the test pattern, in pixels.
const SIDE: u32 = 32;

/// The message for a browser that alters pixels.
const NOISE: &str = "this browser changes the pixels that a page reads back, which protects against fingerprinting: the picture would be noise";

/// The picture on `canvas` as PNG, after the check that the browser returns what is drawn; the promise is of a
/// [`Blob`].
pub fn png(canvas: HtmlCanvasElement) -> js_sys::Promise {
    wasm_bindgen_futures::future_to_promise(async move {
        if !gives_back().await? {
            return Err(js_sys::Error::new(NOISE).into());
        }
        JsFuture::from(save::png(&canvas)).await
    })
}

/// Draws a known pattern, encodes and reads it as pictures are exported, and compares.
async fn gives_back() -> Result<bool, JsValue> {
    let pattern = pattern();
    let (canvas, context) = new_canvas()?;
    let image = ImageData::new_with_u8_clamped_array_and_sh(wasm_bindgen::Clamped(&pattern), SIDE, SIDE)?;
    context.put_image_data(&image, 0.0, 0.0)?;
    let blob: Blob = JsFuture::from(save::png(&canvas)).await?.dyn_into()?;
    let bitmap = window().create_image_bitmap_with_blob(&blob)?;
    let bitmap: ImageBitmap = JsFuture::from(bitmap).await?.dyn_into()?;
    let (_, context) = new_canvas()?;
    context.draw_image_with_image_bitmap(&bitmap, 0.0, 0.0)?;
    let read = context.get_image_data(0.0, 0.0, SIDE.into(), SIDE.into())?;
    Ok(read.data().0 == pattern)
}

/// The test pattern as RGBA bytes: opaque and with many colors, since a plain picture may be left unaltered.
fn pattern() -> Vec<u8> {
    let pixel = |at: u32| {
        let (x, y) = (at % SIDE, at / SIDE);
        [8 * x, 8 * y, 8 * (x ^ y), 255].map(|channel| channel as u8)
    };
    (0..SIDE * SIDE).flat_map(pixel).collect()
}

fn new_canvas() -> Result<(HtmlCanvasElement, CanvasRenderingContext2d), JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    canvas.set_width(SIDE);
    canvas.set_height(SIDE);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into()?;
    Ok((canvas, context))
}
