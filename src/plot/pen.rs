//! Drawing in CSS pixels on a `plotters` area in device pixels.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle};

use super::DrawOptions;
use super::geometry::Rect;
use crate::error::{Error, ErrorKind, Result};

/// Draws on an area; see the module.
pub(super) struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    options: &'a DrawOptions,
}

impl<'a, DB: DrawingBackend> Pen<'a, DB> {
    pub fn new(area: &'a DrawingArea<DB, Shift>, options: &'a DrawOptions) -> Self {
        Self { area, options }
    }

    /// Width and height of the area.
    pub fn size(&self) -> (f64, f64) {
        let (width, height) = self.area.dim_in_pixel();
        (
            f64::from(width) / self.options.scale,
            f64::from(height) / self.options.scale,
        )
    }

    /// Fills the area with the theme's background.
    pub fn background(&self) -> Result<()> {
        let (right, bottom) = self.size();
        let area = Rect {
            right,
            bottom,
            ..Rect::default()
        };
        self.rect(area, self.options.theme.background.to_rgba())
    }

    fn device(&self, length: f64) -> i32 {
        (length * self.options.scale).round() as i32
    }

    fn point(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.device(x), self.device(y))
    }

    /// A line's width in device pixels, at least one.
    fn stroke(&self, width: f64) -> u32 {
        self.device(width).max(1).unsigned_abs()
    }

    pub fn rect(&self, rect: Rect, color: RGBAColor) -> Result<()> {
        let corners = [self.point((rect.left, rect.top)), self.point((rect.right, rect.bottom))];
        self.device_rect(corners, color)
    }

    fn device_rect(&self, corners: [(i32, i32); 2], color: RGBAColor) -> Result<()> {
        self.area.draw(&Rectangle::new(corners, color.filled())).map_err(failed)
    }

    /// A horizontal line; drawn as a rectangle, which is sharp on every backend.
    pub fn horizontal(&self, y: f64, from: f64, to: f64, width: f64, color: RGBAColor) -> Result<()> {
        let thick = self.stroke(width) as i32;
        let top = self.device(y) - thick / 2;
        self.device_rect([(self.device(from), top), (self.device(to), top + thick)], color)
    }

    /// A vertical line.
    pub fn vertical(&self, x: f64, from: f64, to: f64, width: f64, color: RGBAColor) -> Result<()> {
        let thick = self.stroke(width) as i32;
        let left = self.device(x) - thick / 2;
        self.device_rect([(left, self.device(from)), (left + thick, self.device(to))], color)
    }

    /// The outline of a rectangle.
    pub fn frame(&self, rect: Rect, width: f64, color: RGBAColor) -> Result<()> {
        let half = width / 2.0;
        self.horizontal(rect.top, rect.left - half, rect.right + half, width, color)?;
        self.horizontal(rect.bottom, rect.left - half, rect.right + half, width, color)?;
        self.vertical(rect.left, rect.top, rect.bottom, width, color)?;
        self.vertical(rect.right, rect.top, rect.bottom, width, color)
    }

    pub fn polygon(&self, points: &[(f64, f64)], color: RGBAColor) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&point| self.point(point)).collect();
        self.area.draw(&Polygon::new(points, color.filled())).map_err(failed)
    }

    /// A line from point to point.
    pub fn path(&self, points: &[(f64, f64)], width: f64, color: RGBAColor) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&point| self.point(point)).collect();
        let style = ShapeStyle {
            color,
            filled: false,
            stroke_width: self.stroke(width),
        };
        self.area.draw(&PathElement::new(points, style)).map_err(failed)
    }

    pub fn outline(&self, points: &[(f64, f64)], width: f64, color: RGBAColor) -> Result<()> {
        let mut points: Vec<_> = points.iter().map(|&point| self.point(point)).collect();
        // Closes the path, and goes one corner on: a polyline's first corner is then mitred, too.
        points.extend_from_within(..points.len().min(2));
        let style = ShapeStyle {
            color,
            filled: false,
            stroke_width: self.stroke(width),
        };
        self.area.draw(&PathElement::new(points, style)).map_err(failed)
    }

    pub fn dot(&self, center: (f64, f64), radius: f64, color: RGBAColor) -> Result<()> {
        let radius = self.stroke(radius);
        self.area
            .draw(&Circle::new(self.point(center), radius, color.filled()))
            .map_err(failed)
    }

    /// Writes `text` from left to right, the middle of its height at `y`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the backend fails.
    pub fn write(&self, text: &str, at: (f64, f64), size: f64, color: RGBAColor, align: HPos) -> Result<()> {
        self.text(text, at, self.font(size), color, align)
    }

    /// Writes `text` upwards, its middle at the point given.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the backend fails.
    pub fn write_upwards(&self, text: &str, at: (f64, f64), size: f64, color: RGBAColor) -> Result<()> {
        let font = self.font(size).transform(FontTransform::Rotate270);
        self.text(text, at, font, color, HPos::Center)
    }

    fn font(&self, size: f64) -> FontDesc<'a> {
        let family = FontFamily::Name(self.options.theme.font_family);
        let size = size * self.options.scale * self.options.text_scale;
        FontDesc::new(family, size, FontStyle::Normal)
    }

    fn text(&self, text: &str, at: (f64, f64), font: FontDesc<'a>, color: RGBAColor, align: HPos) -> Result<()> {
        let style = TextStyle::from(font).color(&color).pos(Pos::new(align, VPos::Center));
        self.area.draw_text(text, &style, self.point(at)).map_err(failed)
    }
}

fn failed<E: std::error::Error + Send + Sync>(cause: DrawingAreaErrorKind<E>) -> Error {
    Error::new(ErrorKind::Plot, format!("a plot can't be drawn: {cause}"))
}
