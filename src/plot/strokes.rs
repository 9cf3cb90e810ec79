//! Strokes: the drawing operations of a plot, on any `plotters` backend.
//!
//! Drawing hundreds of strokes at once would block the browser, so they can be drawn a few at a time.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle};

use crate::error::{Error, ErrorKind, Result};

/// A place on a drawing area, in device pixels from its upper left corner.
pub type PixelPoint = (i32, i32);

/// One thing to draw. Lengths are in device pixels.
#[derive(Clone)]
pub enum Stroke {
    /// A filled rectangle between two opposite corners.
    Rectangle([PixelPoint; 2], RGBAColor),
    /// A filled polygon.
    Polygon(Vec<PixelPoint>, RGBAColor),
    /// A line from place to place, as wide as said.
    Path(Vec<PixelPoint>, u32, RGBAColor),
    /// A filled circle: its middle and radius.
    Dot(PixelPoint, u32, RGBAColor),
    /// A line of text.
    Text(Text),
}

/// A line of text, the middle of its height at a place.
#[derive(Clone)]
pub struct Text {
    /// What is written.
    pub text: String,
    /// The place.
    pub at: PixelPoint,
    /// Which end of the text is there, or its middle.
    pub align: HPos,
    /// Whether it is written upwards, not from left to right.
    pub upwards: bool,
    /// The font's family, as in CSS.
    pub family: &'static str,
    /// The font's size.
    pub size: f64,
    /// Color of the letters.
    pub color: RGBAColor,
}

/// Draws `strokes` on `area`.
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when the backend fails.
pub fn draw_strokes<DB: DrawingBackend>(strokes: &[Stroke], area: &DrawingArea<DB, Shift>) -> Result<()> {
    strokes.iter().try_for_each(|stroke| stroke.draw(area))
}

impl Stroke {
    /// Its color.
    pub fn color(&self) -> RGBAColor {
        match self {
            Self::Rectangle(_, color) | Self::Polygon(_, color) | Self::Path(_, _, color) | Self::Dot(_, _, color) => {
                *color
            }
            Self::Text(text) => text.color,
        }
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Result<()> {
        let drawn = match self {
            Self::Rectangle(corners, color) => area.draw(&Rectangle::new(*corners, color.filled())),
            Self::Polygon(points, color) => area.draw(&Polygon::new(points.clone(), color.filled())),
            Self::Path(points, width, color) => {
                let style = ShapeStyle {
                    color: *color,
                    filled: false,
                    stroke_width: *width,
                };
                area.draw(&PathElement::new(points.clone(), style))
            }
            Self::Dot(center, radius, color) => area.draw(&Circle::new(*center, *radius, color.filled())),
            Self::Text(text) => area.draw_text(&text.text, &text.style(), text.at),
        };
        drawn.map_err(failed)
    }
}

impl Text {
    fn style(&self) -> TextStyle<'_> {
        let font = FontDesc::new(FontFamily::Name(self.family), self.size, FontStyle::Normal);
        let font = if self.upwards {
            font.transform(FontTransform::Rotate270)
        } else {
            font
        };
        TextStyle::from(font)
            .color(&self.color)
            .pos(Pos::new(self.align, VPos::Center))
    }
}

fn failed<E: std::error::Error + Send + Sync>(cause: DrawingAreaErrorKind<E>) -> Error {
    Error::new(ErrorKind::Plot, format!("a plot can't be drawn: {cause}"))
}
