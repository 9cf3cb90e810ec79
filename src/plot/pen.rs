//! A pen that takes CSS pixels and draws in device pixels.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBAColor};

use super::geometry::Rect;
use super::strokes::{PixelPoint, Stroke, Text};
use super::text::visible;
use super::{DrawOptions, Theme};

/// Collects the strokes of a plot; see the module.
pub struct Pen<'a> {
    size: (u32, u32),
    options: &'a DrawOptions,
    strokes: Vec<Stroke>,
    /// Which part strokes from a place in `strokes` on belong to.
    parts: Vec<(usize, StrokeGroup)>,
}

/// What strokes belong to, where parts of a plot are shown and hidden by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrokeGroup {
    /// What stays.
    Fixed,
    /// The bars of a series, by its number.
    Bars(usize),
    /// The box of a series, by its number.
    Box(usize),
    /// Ticks of the axis of counts where the largest one shown is this.
    Counts(usize),
}

impl<'a> Pen<'a> {
    /// A pen for an area of `size` (width and height in device pixels).
    pub fn new(size: (u32, u32), options: &'a DrawOptions) -> Self {
        Self {
            size,
            options,
            strokes: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// What was drawn.
    pub fn strokes(self) -> Vec<Stroke> {
        self.strokes
    }

    /// What is drawn from now on belongs to `part`.
    pub fn part(&mut self, part: StrokeGroup) {
        self.parts.push((self.strokes.len(), part));
    }

    /// What was drawn, part by part in the order of drawing; none is empty.
    pub fn parts(self) -> Vec<(StrokeGroup, Vec<Stroke>)> {
        let mut rest = self.strokes;
        let mut parts = Vec::new();
        for (start, part) in self.parts.into_iter().rev() {
            parts.push((part, rest.split_off(start.min(rest.len()))));
        }
        parts.push((StrokeGroup::Fixed, rest));
        parts.retain(|(_, strokes)| !strokes.is_empty());
        parts.reverse();
        parts
    }

    /// Colors and fonts.
    pub fn theme(&self) -> &'a Theme {
        &self.options.theme
    }

    /// Width and height of the area.
    pub fn size(&self) -> (f64, f64) {
        let (width, height) = self.size;
        (
            f64::from(width) / self.options.scale,
            f64::from(height) / self.options.scale,
        )
    }

    /// Fills the area with the theme's background.
    pub fn background(&mut self) {
        let (right, bottom) = self.size();
        let area = Rect {
            right,
            bottom,
            ..Rect::default()
        };
        self.rect(area, self.options.theme.background.to_rgba());
    }

    fn device(&self, length: f64) -> i32 {
        (length * self.options.scale).round() as i32
    }

    fn place(&self, (x, y): (f64, f64)) -> PixelPoint {
        (self.device(x), self.device(y))
    }

    fn places(&self, points: &[(f64, f64)]) -> Vec<PixelPoint> {
        points.iter().map(|&point| self.place(point)).collect()
    }

    /// A line's width in device pixels, at least one.
    fn width(&self, width: f64) -> u32 {
        self.device(width).max(1).unsigned_abs()
    }

    /// A filled rectangle.
    pub fn rect(&mut self, rect: Rect, color: RGBAColor) {
        let corners = [self.place((rect.left, rect.top)), self.place((rect.right, rect.bottom))];
        self.strokes.push(Stroke::Rectangle(corners, color));
    }

    /// A horizontal line; drawn as a rectangle, which is sharp on every backend.
    pub fn horizontal(&mut self, y: f64, from: f64, to: f64, width: f64, color: RGBAColor) {
        let thick = self.width(width) as i32;
        let top = self.device(y) - thick / 2;
        let corners = [(self.device(from), top), (self.device(to), top + thick)];
        self.strokes.push(Stroke::Rectangle(corners, color));
    }

    /// A vertical line.
    pub fn vertical(&mut self, x: f64, from: f64, to: f64, width: f64, color: RGBAColor) {
        let thick = self.width(width) as i32;
        let left = self.device(x) - thick / 2;
        let corners = [(left, self.device(from)), (left + thick, self.device(to))];
        self.strokes.push(Stroke::Rectangle(corners, color));
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, rect: Rect, width: f64, color: RGBAColor) {
        let half = width / 2.0;
        self.horizontal(rect.top, rect.left - half, rect.right + half, width, color);
        self.horizontal(rect.bottom, rect.left - half, rect.right + half, width, color);
        self.vertical(rect.left, rect.top, rect.bottom, width, color);
        self.vertical(rect.right, rect.top, rect.bottom, width, color);
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], color: RGBAColor) {
        let places = self.places(points);
        self.strokes.push(Stroke::Polygon(places, color));
    }

    /// A line from point to point.
    pub fn path(&mut self, points: &[(f64, f64)], width: f64, color: RGBAColor) {
        let places = self.places(points);
        self.strokes.push(Stroke::Path(places, self.width(width), color));
    }

    /// A closed line from point to point.
    pub fn outline(&mut self, points: &[(f64, f64)], width: f64, color: RGBAColor) {
        let mut places = self.places(points);
        // Closes the path, and goes one corner on: a polyline's first corner is then mitred, too.
        places.extend_from_within(..places.len().min(2));
        self.strokes.push(Stroke::Path(places, self.width(width), color));
    }

    /// A filled circle.
    pub fn dot(&mut self, center: (f64, f64), radius: f64, color: RGBAColor) {
        self.strokes
            .push(Stroke::Dot(self.place(center), self.width(radius), color));
    }

    /// Writes `text` from left to right, the middle of its height at `y`.
    pub fn write(&mut self, text: &str, at: (f64, f64), size: f64, color: RGBAColor, align: HPos) {
        self.text(text, at, size, color, align, false);
    }

    /// Writes `text` upwards, its middle at the point given.
    pub fn write_upwards(&mut self, text: &str, at: (f64, f64), size: f64, color: RGBAColor) {
        self.text(text, at, size, color, HPos::Center, true);
    }

    fn text(&mut self, text: &str, at: (f64, f64), size: f64, color: RGBAColor, align: HPos, upwards: bool) {
        self.strokes.push(Stroke::Text(Text {
            text: visible(text),
            at: self.place(at),
            align,
            upwards,
            family: self.options.theme.font_family,
            size: size * self.options.scale * self.options.text_scale,
            color,
        }));
    }
}
