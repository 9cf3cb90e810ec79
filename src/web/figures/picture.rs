//! The pixels of a plot: drawn off screen, then shown; a second canvas above highlights a series.

use std::time::Duration;

use leptos::prelude::{document, window};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, ImageBitmap, ImageBitmapRenderingContext};
use web_time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::names::SeriesId;
use crate::plot::{DrawOptions, Scene, Stroke, draw_strokes};

/// So many strokes are drawn between two looks at the clock.
const AT_ONCE: usize = 8;

/// A canvas that is not in the page, and what is drawn there.
struct OffScreenCanvas {
    canvas: HtmlCanvasElement,
    strokes: Vec<Stroke>,
    /// How many of them have been drawn.
    drawn: usize,
}

impl OffScreenCanvas {
    fn new() -> Result<Self> {
        Ok(Self {
            canvas: new_canvas()?,
            strokes: Vec::new(),
            drawn: 0,
        })
    }

    /// Begins to draw `strokes` on an empty canvas of `size`, in device pixels.
    fn begin(&mut self, size: (u32, u32), strokes: Vec<Stroke>) {
        set_size(&self.canvas, size);
        (self.strokes, self.drawn) = (strokes, 0);
    }

    /// Draws for about as long as `time`; true when nothing is left to draw.
    fn continue_drawing(&mut self, time: Duration) -> Result<bool> {
        let (begun, area) = (Instant::now(), area(&self.canvas)?);
        for next in self.strokes[self.drawn..].chunks(AT_ONCE) {
            draw_strokes(next, &area)?;
            self.drawn += next.len();
            if begun.elapsed() >= time {
                break;
            }
        }
        Ok(self.drawn == self.strokes.len())
    }

    /// What was drawn, as a promise of a bitmap; None where there is no room for one.
    fn bitmap(&self) -> Result<Option<js_sys::Promise>> {
        let (width, height) = size_of(&self.canvas);
        if width == 0 || height == 0 {
            return Ok(None);
        }
        let promise = window().create_image_bitmap_with_html_canvas_element(&self.canvas);
        promise.map(Some).map_err(|_| no_canvas())
    }

    /// Its pixels are not needed any more.
    fn clear(&mut self) {
        self.begin((0, 0), Vec::new());
    }
}

/// The two canvases of a plot, and what is on them.
///
/// Both show bitmaps that were drawn elsewhere: without a GPU, a canvas that is drawn upon is copied to the
/// screen with every frame that the page paints, and slows down what has nothing to do with it.
pub struct Picture {
    lower: HtmlCanvasElement,
    /// Seen only while a series is lit up: with a veil over the plot, and the series.
    upper: HtmlCanvasElement,
    upper_is_seen: bool,
    /// Where the plot is drawn.
    off_screen: OffScreenCanvas,
    /// Where what lights a series up is drawn.
    highlight_canvas: OffScreenCanvas,
    /// In the page while that is printed.
    paper: Option<HtmlCanvasElement>,
}

impl Picture {
    /// An empty picture on `lower`, with `upper` above it.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn new(lower: HtmlCanvasElement, upper: HtmlCanvasElement) -> Result<Self> {
        Ok(Self {
            lower,
            upper,
            upper_is_seen: false,
            off_screen: OffScreenCanvas::new()?,
            highlight_canvas: OffScreenCanvas::new()?,
            paper: None,
        })
    }

    /// Begins to draw `scene` out of sight, with as many pixels as the screen has there.
    pub fn begin(&mut self, scene: &Scene, size: (f64, f64), options: &DrawOptions) {
        let size = device(size, options);
        self.off_screen.begin(size, scene.plot().strokes(size, options));
    }

    /// Draws for about as long as `time`; true when nothing is left to draw.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn continue_drawing(&mut self, time: Duration) -> Result<bool> {
        self.off_screen.continue_drawing(time)
    }

    /// What was drawn, as a promise of a bitmap; None where there is no room for one.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser makes none.
    pub fn bitmap(&self) -> Result<Option<js_sys::Promise>> {
        self.off_screen.bitmap()
    }

    /// Shows `bitmap`. Nothing is lit up then.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn show(&mut self, bitmap: &ImageBitmap) -> Result<()> {
        if let Some(paper) = self.paper.take() {
            paper.remove();
        }
        self.see_upper(false)?;
        see(&self.lower, true)?;
        self.fit((bitmap.width(), bitmap.height()));
        put(bitmap, &self.lower)?;
        self.off_screen.clear();
        Ok(())
    }

    /// Draws `scene` for paper: browsers print what is drawn upon a canvas in the page as lines and letters, not as pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw_for_paper(&mut self, scene: &Scene, size: (f64, f64), options: &DrawOptions) -> Result<()> {
        let paper = match &self.paper {
            Some(paper) => paper.clone(),
            None => self.paper.insert(new_canvas()?).clone(),
        };
        paper.set_class_name("paper");
        set_size(&paper, device(size, options));
        scene.plot().draw(&area(&paper)?, options)?;
        self.upper.after_with_node_1(&paper).map_err(|_| no_canvas())?;
        see(&self.lower, false)?;
        self.see_upper(false)
    }

    /// Begins to draw what lights up `series`, out of sight: the plot is not drawn again. False where `scene` does not
    /// show it; then the plot is shown plainly.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn begin_highlight(&mut self, scene: &Scene, options: &DrawOptions, series: Option<&SeriesId>) -> Result<bool> {
        let size = size_of(&self.lower);
        let strokes = series.and_then(|series| scene.highlight(size, options, series));
        match strokes.filter(|_| size.0 > 0 && size.1 > 0) {
            Some(strokes) => {
                self.highlight_canvas.begin(size, strokes);
                Ok(true)
            }
            None => {
                self.see_upper(false)?;
                Ok(false)
            }
        }
    }

    /// The same as [`Self::continue_drawing`] for what lights a series up: when it is drawn, a promise of a bitmap.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas, or makes no bitmap.
    pub fn continue_highlight(&mut self, time: Duration) -> Result<Option<js_sys::Promise>> {
        let off_screen = &mut self.highlight_canvas;
        if off_screen.continue_drawing(time)? {
            off_screen.bitmap()
        } else {
            Ok(None)
        }
    }

    /// Shows `bitmap` above the plot.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn show_highlight(&mut self, bitmap: &ImageBitmap) -> Result<()> {
        put(bitmap, &self.upper)?;
        self.highlight_canvas.clear();
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
fn put(bitmap: &ImageBitmap, on: &HtmlCanvasElement) -> Result<()> {
    let screen = on.get_context("bitmaprenderer").ok().flatten().ok_or_else(no_canvas)?;
    let screen: ImageBitmapRenderingContext = screen.dyn_into().map_err(|_| no_canvas())?;
    screen.transfer_from_image_bitmap(bitmap);
    Ok(())
}

/// A canvas that is not in the page yet.
fn new_canvas() -> Result<HtmlCanvasElement> {
    let element = document().create_element("canvas").ok();
    element
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(no_canvas)
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
