//! The pixels of a plot: drawn off screen, then shown; a second canvas above highlights a series.

use leptos::prelude::document;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::error::{Error, ErrorKind, Result};
use crate::names::SeriesId;
use crate::plot::{DrawOptions, Scene, draw_strokes};

/// The two canvases of a plot, and what is on them.
///
/// Both show what was drawn on a canvas outside of the page: text that is drawn on a canvas in the page computes the page's styles.
pub struct Picture {
    lower: HtmlCanvasElement,
    /// Seen only while a series is lit up: with a veil over the plot, and the series.
    upper: HtmlCanvasElement,
    upper_is_seen: bool,
    off_screen: HtmlCanvasElement,
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
            off_screen: new_canvas()?,
            paper: None,
        })
    }

    /// Draws `scene` with as many pixels as the screen has there. Nothing is lit up then. False where there is no room.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn draw(&mut self, scene: &Scene, size: (f64, f64), options: &DrawOptions) -> Result<bool> {
        if let Some(paper) = self.paper.take() {
            paper.remove();
        }
        let size = device(size, options);
        if size.0 == 0 || size.1 == 0 {
            return Ok(false);
        }
        set_size(&self.off_screen, size);
        scene.plot().draw(&area(&self.off_screen)?, options)?;
        self.see_upper(false)?;
        see(&self.lower, true)?;
        self.fit(size);
        self.put(&self.lower)?;
        Ok(true)
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

    /// Lights up `series`: the plot is not drawn again. Where `scene` does not show it, the plot is shown plainly.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the browser gives no canvas.
    pub fn highlight(&mut self, scene: &Scene, options: &DrawOptions, series: Option<&SeriesId>) -> Result<()> {
        let size = size_of(&self.lower);
        let strokes = series.and_then(|series| scene.highlight(size, options, series));
        let Some(strokes) = strokes.filter(|_| size.0 > 0 && size.1 > 0) else {
            return self.see_upper(false);
        };
        set_size(&self.off_screen, size);
        draw_strokes(&strokes, &area(&self.off_screen)?)?;
        self.put(&self.upper)?;
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

    /// Shows on a canvas what was drawn, and lets that go.
    fn put(&self, on: &HtmlCanvasElement) -> Result<()> {
        let screen = on.get_context("2d").ok().flatten().ok_or_else(no_canvas)?;
        let screen: CanvasRenderingContext2d = screen.dyn_into().map_err(|_| no_canvas())?;
        let (width, height) = size_of(on);
        screen.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        let drawn = screen.draw_image_with_html_canvas_element(&self.off_screen, 0.0, 0.0);
        set_size(&self.off_screen, (0, 0));
        drawn.map_err(|_| no_canvas())
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
