//! The pixels of a plot: drawn once, lit up over a copy.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::error::{Error, ErrorKind, Result};
use crate::plot::{DrawOptions, Scene};

/// A canvas, and what is on it.
pub struct Picture {
    canvas: HtmlCanvasElement,
    /// A canvas that is not in the page, with the plot as it is when nothing is lit up; kept once it was needed.
    plain: Option<HtmlCanvasElement>,
    /// Whether `plain` shows what was drawn last.
    copied: bool,
    /// Whether a series is lit up.
    lit: bool,
}

impl Picture {
    /// An empty picture on `canvas`.
    pub fn new(canvas: HtmlCanvasElement) -> Self {
        Self {
            canvas,
            plain: None,
            copied: false,
            lit: false,
        }
    }

    /// Draws `scene`, with as many pixels as the screen has there. Nothing is lit up then.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw(&mut self, scene: &Scene, (width, height): (f64, f64), options: &DrawOptions) -> Result<()> {
        let device = |length: f64| (length * options.scale).round() as u32;
        self.canvas.set_width(device(width));
        self.canvas.set_height(device(height));
        (self.copied, self.lit) = (false, false);
        scene.plot().draw(&self.area()?, options)
    }

    /// Lights up the series `label` where `scene` shows it; else shows the plot plainly. The plot is not drawn again.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn light(&mut self, scene: &Scene, options: &DrawOptions, label: Option<&str>) -> Result<()> {
        if self.lit {
            if let Some(plain) = &self.plain {
                copy(plain, &self.canvas)?;
            }
            self.lit = false;
        }
        let Some(label) = label.filter(|label| scene.shows(label)) else {
            return Ok(());
        };
        self.keep_plain()?;
        self.lit = scene.draw_highlight(&self.area()?, options, label)?;
        Ok(())
    }

    fn keep_plain(&mut self) -> Result<()> {
        if self.copied {
            return Ok(());
        }
        let plain = match self.plain.take() {
            Some(plain) => plain,
            None => leptos::prelude::document()
                .create_element("canvas")
                .ok()
                .and_then(|element| element.dyn_into().ok())
                .ok_or_else(no_canvas)?,
        };
        plain.set_width(self.canvas.width());
        plain.set_height(self.canvas.height());
        copy(&self.canvas, &plain)?;
        self.plain = Some(plain);
        self.copied = true;
        Ok(())
    }

    fn area(&self) -> Result<DrawingArea<CanvasBackend, Shift>> {
        let backend = CanvasBackend::with_canvas_object(self.canvas.clone()).ok_or_else(no_canvas)?;
        Ok(backend.into_drawing_area())
    }
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
