//! The pixels of a plot: drawn out of sight, then shown; a second canvas above lights a series up.

use std::time::Duration;

use leptos::prelude::{document, window};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap, ImageBitmapRenderingContext};
use web_time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::plot::{DrawOptions, Scene, Stroke, draw_strokes};

/// So many strokes are drawn between two looks at the clock.
const AT_ONCE: usize = 8;

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
    /// What is drawn there, and how many of it are.
    strokes: Vec<Stroke>,
    drawn: usize,
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
            strokes: Vec::new(),
            drawn: 0,
            upper_is_seen: false,
        })
    }

    /// Begins to draw `scene` out of sight, with as many pixels as the screen has there.
    pub fn begin(&mut self, scene: &Scene, size: (f64, f64), options: &DrawOptions) {
        let size = device(size, options);
        set_size(&self.easel, size);
        self.strokes = scene.plot().strokes(size, options);
        self.drawn = 0;
    }

    /// Draws for about as long as `time`; true when nothing is left to draw.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn go_on(&mut self, time: Duration) -> Result<bool> {
        let (begun, area) = (Instant::now(), area(&self.easel)?);
        for next in self.strokes[self.drawn..].chunks(AT_ONCE) {
            draw_strokes(next, &area)?;
            self.drawn += next.len();
            if begun.elapsed() >= time {
                break;
            }
        }
        let done = self.drawn == self.strokes.len();
        if done {
            self.strokes = Vec::new();
            self.drawn = 0;
        }
        Ok(done)
    }

    /// What was drawn, as a promise of a bitmap; None where there is no room for one.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser makes none.
    pub fn bitmap(&self) -> Result<Option<js_sys::Promise>> {
        let (width, height) = size_of(&self.easel);
        if width == 0 || height == 0 {
            return Ok(None);
        }
        let promise = window().create_image_bitmap_with_html_canvas_element(&self.easel);
        promise.map(Some).map_err(|_| no_canvas())
    }

    /// Shows `bitmap`. Nothing is lit up then.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn show(&mut self, bitmap: &ImageBitmap) -> Result<()> {
        self.see_upper(false)?;
        see(&self.lower, true)?;
        self.fit((bitmap.width(), bitmap.height()));
        put(bitmap, &self.lower).map_err(|_| no_canvas())?;
        // Its pixels are not needed any more.
        set_size(&self.easel, (0, 0));
        Ok(())
    }

    /// Draws `scene` for paper: browsers print what is drawn upon a canvas in the page as lines and letters, not as pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw_for_paper(&mut self, scene: &Scene, size: (f64, f64), options: &DrawOptions) -> Result<()> {
        self.fit(device(size, options));
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
        let strokes = label.and_then(|label| scene.highlight(size_of(&self.upper), options, label));
        let Some(strokes) = strokes else {
            return self.see_upper(false);
        };
        clear(&self.upper).map_err(|_| no_canvas())?;
        draw_strokes(&strokes, &area(&self.upper)?)?;
        self.see_upper(true)
    }

    /// Gives both canvases `size`, in device pixels.
    fn fit(&self, size: (u32, u32)) {
        // Only when it changes: the page is laid out again for it.
        if size_of(&self.lower) != size {
            set_size(&self.lower, size);
            set_size(&self.upper, size);
        }
    }

    fn see_upper(&mut self, seen: bool) -> Result<()> {
        if seen != self.upper_is_seen {
            see(&self.upper, seen)?;
            self.upper_is_seen = seen;
        }
        Ok(())
    }
}

/// As many device pixels as `size` has in CSS pixels.
fn device((width, height): (f64, f64), options: &DrawOptions) -> (u32, u32) {
    let device = |length: f64| (length * options.scale).round() as u32;
    (device(width), device(height))
}

fn see(canvas: &HtmlCanvasElement, seen: bool) -> Result<()> {
    let visibility = if seen { "visible" } else { "hidden" };
    let set = canvas.style().set_property("visibility", visibility);
    set.map_err(|_| no_canvas())
}

/// Shows `bitmap` on a canvas, and takes it away.
fn put(bitmap: &ImageBitmap, on: &HtmlCanvasElement) -> std::result::Result<(), JsValue> {
    let screen = on.get_context("bitmaprenderer")?.ok_or(JsValue::NULL)?;
    let screen: ImageBitmapRenderingContext = screen.dyn_into()?;
    screen.transfer_from_image_bitmap(bitmap);
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
