//! The pixels of a plot: drawn out of sight, then shown; a second canvas above lights a series up.

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
    lower: HtmlCanvasElement,
    /// Seen only while a series is lit up, with a veil over the plot and the series; or on paper, with the plot.
    upper: HtmlCanvasElement,
    /// Not in the page.
    easel: HtmlCanvasElement,
    upper_is_seen: bool,
}

impl Picture {
    /// An empty picture on `lower`, with `upper` above it.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn new(lower: HtmlCanvasElement, upper: HtmlCanvasElement) -> Result<Self> {
        let easel = document().create_element("canvas").ok();
        Ok(Self {
            lower,
            upper,
            easel: easel
                .and_then(|element| element.dyn_into().ok())
                .ok_or_else(no_canvas)?,
            upper_is_seen: false,
        })
    }

    /// Draws `scene` out of sight, with as many pixels as the screen has there.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw(&mut self, scene: &Scene, (width, height): (f64, f64), options: &DrawOptions) -> Result<()> {
        let device = |length: f64| (length * options.scale).round() as u32;
        let size = (device(width), device(height));
        set_size(&self.easel, size);
        scene.plot().draw(&area(&self.easel)?, options)
    }

    /// Shows what was drawn last. Nothing is lit up then.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn show(&mut self) -> Result<()> {
        let size = size_of(&self.easel);
        if size.0 == 0 || size.1 == 0 {
            return Ok(());
        }
        self.see_upper(false)?;
        see(&self.lower, true)?;
        // Only when it changes: the page is laid out again for it.
        if size_of(&self.lower) != size {
            set_size(&self.lower, size);
            set_size(&self.upper, size);
        }
        show(&self.easel, &self.lower).map_err(|_| no_canvas())?;
        // Its pixels are not needed any more.
        set_size(&self.easel, (0, 0));
        Ok(())
    }

    /// Draws `scene` for paper: browsers print what is drawn upon a canvas in the page as lines and letters, not as pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw_for_paper(&mut self, scene: &Scene, options: &DrawOptions) -> Result<()> {
        clear(&self.upper).map_err(|_| no_canvas())?;
        scene.plot().draw(&area(&self.upper)?, options)?;
        see(&self.lower, false)?;
        self.see_upper(true)
    }

    /// Lights up the series `label` where `scene` shows it; else shows the plot plainly. The plot is not drawn again.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn light(&mut self, scene: &Scene, options: &DrawOptions, label: Option<&str>) -> Result<()> {
        let Some(label) = label.filter(|label| scene.shows(label)) else {
            return self.see_upper(false);
        };
        clear(&self.upper).map_err(|_| no_canvas())?;
        let is_lit = scene.draw_highlight(&area(&self.upper)?, options, label)?;
        self.see_upper(is_lit)
    }

    fn see_upper(&mut self, seen: bool) -> Result<()> {
        if seen != self.upper_is_seen {
            see(&self.upper, seen)?;
            self.upper_is_seen = seen;
        }
        Ok(())
    }
}

fn see(canvas: &HtmlCanvasElement, seen: bool) -> Result<()> {
    let visibility = if seen { "visible" } else { "hidden" };
    let set = canvas.style().set_property("visibility", visibility);
    set.map_err(|_| no_canvas())
}

/// Shows what is on the canvas `from` on the canvas `on`, which takes bitmaps.
fn show(from: &HtmlCanvasElement, on: &HtmlCanvasElement) -> std::result::Result<(), JsValue> {
    let (width, height) = size_of(from);
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
