//! The pixels of a plot: drawn once, lit up over a copy, and handed to the screen when they are ready.

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

/// A canvas in the page, and what is on it.
///
/// It shows bitmaps that were drawn elsewhere: what is drawn upon is copied to the screen again with every frame that the
/// page paints, where there is no graphics processor, and so slows down what has nothing to do with it.
pub struct Picture {
    shown: HtmlCanvasElement,
    /// The plot as it is when nothing is lit up.
    plain: HtmlCanvasElement,
    /// The plot with a series lit up; kept once it was needed.
    lit: Option<HtmlCanvasElement>,
    /// Whether `lit` is what is shown.
    is_lit: bool,
}

impl Picture {
    /// An empty picture on `shown`.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn new(shown: HtmlCanvasElement) -> Result<Self> {
        Ok(Self {
            shown,
            plain: canvas()?,
            lit: None,
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
        set_size(&self.plain, size);
        scene.plot().draw(&area(&self.plain)?, options)?;
        self.is_lit = false;
        // Only when it changes: the page is laid out again for it.
        if (self.shown.width(), self.shown.height()) != size {
            set_size(&self.shown, size);
        }
        self.show(&self.plain)
    }

    /// Lights up the series `label` where `scene` shows it; else shows the plot plainly. The plot is not drawn again.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn light(&mut self, scene: &Scene, options: &DrawOptions, label: Option<&str>) -> Result<()> {
        let was_lit = std::mem::take(&mut self.is_lit);
        if let Some(label) = label.filter(|label| scene.shows(label)) {
            let lit = match self.lit.take() {
                Some(lit) => lit,
                None => canvas()?,
            };
            set_size(&lit, (self.plain.width(), self.plain.height()));
            copy(&self.plain, &lit)?;
            self.is_lit = scene.draw_highlight(&area(&lit)?, options, label)?;
            self.lit = Some(lit);
        }
        match &self.lit {
            Some(lit) if self.is_lit => self.show(lit),
            _ if was_lit => self.show(&self.plain),
            _ => Ok(()),
        }
    }

    /// Hands a copy of `drawn` to the screen.
    fn show(&self, drawn: &HtmlCanvasElement) -> Result<()> {
        if drawn.width() == 0 || drawn.height() == 0 {
            return Ok(());
        }
        let there = || -> std::result::Result<(), JsValue> {
            let carrier = OffscreenCanvas::new(drawn.width(), drawn.height())?;
            let context = carrier.get_context("2d")?.ok_or(JsValue::NULL)?;
            let context: OffscreenCanvasRenderingContext2d = context.dyn_into()?;
            context.draw_image_with_html_canvas_element(drawn, 0.0, 0.0)?;
            let screen = self.shown.get_context("bitmaprenderer")?.ok_or(JsValue::NULL)?;
            let screen: ImageBitmapRenderingContext = screen.dyn_into()?;
            screen.transfer_from_image_bitmap(&carrier.transfer_to_image_bitmap()?);
            Ok(())
        };
        there().map_err(|_| no_canvas())
    }
}

/// A canvas that is not in the page.
fn canvas() -> Result<HtmlCanvasElement> {
    document()
        .create_element("canvas")
        .ok()
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(no_canvas)
}

fn set_size(canvas: &HtmlCanvasElement, (width, height): (u32, u32)) {
    canvas.set_width(width);
    canvas.set_height(height);
}

fn area(canvas: &HtmlCanvasElement) -> Result<DrawingArea<CanvasBackend, Shift>> {
    let backend = CanvasBackend::with_canvas_object(canvas.clone()).ok_or_else(no_canvas)?;
    Ok(backend.into_drawing_area())
}

/// Copies the pixels of a canvas to another one of the same size. Plots are opaque: nothing shines through.
fn copy(from: &HtmlCanvasElement, to: &HtmlCanvasElement) -> Result<()> {
    if from.width() == 0 || from.height() == 0 {
        return Ok(());
    }
    let context = to
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok());
    context
        .and_then(|context| context.draw_image_with_html_canvas_element(from, 0.0, 0.0).ok())
        .ok_or_else(no_canvas)
}

fn no_canvas() -> Error {
    Error::new(ErrorKind::Plot, "this browser gives no canvas to draw on")
}
