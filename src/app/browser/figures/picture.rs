//! The pixels of a plot: drawn out of sight, then shown, and lit up by a second canvas above.

use leptos::prelude::document;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmapRenderingContext, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d,
};

use crate::error::{Error, ErrorKind, Result};
use crate::plot::{DrawOptions, Scene};

/// The two canvases of a plot, and what is on them.
///
/// The lower one shows a bitmap that was drawn elsewhere: without a graphics processor, a canvas that is drawn upon is copied
/// to the screen with every frame that the page paints, and slows down what has nothing to do with it.
pub struct Picture {
    plain: HtmlCanvasElement,
    /// Seen only while a series is lit up: a veil over the plot, and the series.
    light: HtmlCanvasElement,
    /// Not in the page.
    easel: HtmlCanvasElement,
    is_lit: bool,
}

impl Picture {
    /// An empty picture on `plain`, with `light` above it.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn new(plain: HtmlCanvasElement, light: HtmlCanvasElement) -> Result<Self> {
        let easel = document().create_element("canvas").ok();
        Ok(Self {
            plain,
            light,
            easel: easel
                .and_then(|element| element.dyn_into().ok())
                .ok_or_else(no_canvas)?,
            is_lit: false,
        })
    }

    /// Draws `scene`, with as many pixels as the screen has there. Nothing is lit up then.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw(&mut self, scene: &Scene, (width, height): (f64, f64), options: &DrawOptions) -> Result<()> {
        let device = |length: f64| (length * options.scale).round() as u32;
        let size = (device(width), device(height));
        set_size(&self.easel, size);
        scene.plot().draw(&area(&self.easel)?, options)?;
        self.set_lit(false)?;
        // Only when it changes: the page is laid out again for it.
        if size_of(&self.plain) != size {
            set_size(&self.plain, size);
            set_size(&self.light, size);
        }
        show(&self.easel, &self.plain).map_err(|_| no_canvas())?;
        // Its pixels are not needed any more.
        set_size(&self.easel, (0, 0));
        Ok(())
    }

    /// Lights up the series `label` where `scene` shows it; else shows the plot plainly. The plot is not drawn again.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn light(&mut self, scene: &Scene, options: &DrawOptions, label: Option<&str>) -> Result<()> {
        let Some(label) = label.filter(|label| scene.shows(label)) else {
            return self.set_lit(false);
        };
        clear(&self.light).map_err(|_| no_canvas())?;
        let is_lit = scene.draw_highlight(&area(&self.light)?, options, label)?;
        self.set_lit(is_lit)
    }

    fn set_lit(&mut self, is_lit: bool) -> Result<()> {
        if is_lit != self.is_lit {
            let visibility = if is_lit { "visible" } else { "hidden" };
            let style = self.light.style();
            style.set_property("visibility", visibility).map_err(|_| no_canvas())?;
            self.is_lit = is_lit;
        }
        Ok(())
    }
}

/// Shows what is on the canvas `from` on the canvas `on`, which takes bitmaps.
fn show(from: &HtmlCanvasElement, on: &HtmlCanvasElement) -> std::result::Result<(), JsValue> {
    let (width, height) = size_of(from);
    if width == 0 || height == 0 {
        return Ok(());
    }
    let carrier = OffscreenCanvas::new(width, height)?;
    let context = carrier.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: OffscreenCanvasRenderingContext2d = context.dyn_into()?;
    context.draw_image_with_html_canvas_element(from, 0.0, 0.0)?;
    let screen = on.get_context("bitmaprenderer")?.ok_or(JsValue::NULL)?;
    let screen: ImageBitmapRenderingContext = screen.dyn_into()?;
    screen.transfer_from_image_bitmap(&carrier.transfer_to_image_bitmap()?);
    Ok(())
}

fn clear(canvas: &HtmlCanvasElement) -> std::result::Result<(), JsValue> {
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: CanvasRenderingContext2d = context.dyn_into()?;
    let (width, height) = size_of(canvas);
    context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
    Ok(())
}

fn size_of(canvas: &HtmlCanvasElement) -> (u32, u32) {
    (canvas.width(), canvas.height())
}

fn set_size(canvas: &HtmlCanvasElement, (width, height): (u32, u32)) {
    canvas.set_width(width);
    canvas.set_height(height);
}

fn area(canvas: &HtmlCanvasElement) -> Result<DrawingArea<CanvasBackend, Shift>> {
    let backend = CanvasBackend::with_canvas_object(canvas.clone()).ok_or_else(no_canvas)?;
    Ok(backend.into_drawing_area())
}

fn no_canvas() -> Error {
    Error::new(ErrorKind::Plot, "this browser gives no canvas to draw on")
}
