//! The color bar beside or below a plot.

use plotters::style::Color;

use super::axis::{Axis, Edge};
use super::geometry::Rect;
use super::pen::Pen;
use super::scale::{Scale, label};
use crate::result::nice_size;

/// Strips that the bar is made of.
const STRIPS: usize = 128;

/// What the colors of a plot mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Colors {
    /// From 0 to this.
    UpTo(f64),
    /// From minus this to this.
    Diverging(f64),
}

impl Colors {
    /// The largest value that has a color of its own.
    pub fn limit(self) -> f64 {
        match self {
            Self::UpTo(limit) | Self::Diverging(limit) if limit > 0.0 => limit,
            _ => 1.0,
        }
    }
}

/// The area of the bar of `grid`: below it from `top` on if there is one, otherwise `gap` to the right of it and `width` wide.
pub(super) fn color_bar_area(grid: Rect, top: Option<f64>, (gap, width): (f64, f64)) -> Rect {
    match top {
        Some(top) => Rect {
            top,
            bottom: top + 12.0,
            ..grid
        },
        None => Rect {
            left: grid.right + gap,
            right: grid.right + gap + width,
            ..grid
        },
    }
}

/// A bar with every color of a scale, laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorBar {
    bar: Rect,
    axis: Axis,
}

impl ColorBar {
    /// From `-limit` to `limit` along `bar`, which is upright, or lies where it is wider than high.
    pub fn new(bar: Rect, limit: f64, upright: bool, font_size: f64) -> Self {
        Self::of(bar, Colors::Diverging(limit), upright, font_size)
    }

    /// With the values that `colors` are for.
    pub fn of(bar: Rect, colors: Colors, upright: bool, font_size: f64) -> Self {
        let (pixels, edge, spacing) = if upright {
            ((bar.bottom, bar.top), Edge::Right, 40.0)
        } else {
            ((bar.left, bar.right), Edge::Below, 50.0)
        };
        let limit = colors.limit();
        let least = match colors {
            Colors::UpTo(_) => 0.0,
            Colors::Diverging(_) => -limit,
        };
        let scale = Scale::linear((least, limit), pixels);
        let mut ticks = scale.ticks(spacing);
        // A low bar has room for its ends alone: without a value a scale says nothing.
        if ticks.iter().filter(|(value, _)| *value != 0.0).count() < 2 {
            let step = nice_size(limit / 100.0);
            ticks = [least, limit].map(|value| (value, label(value, step, limit))).into();
        }
        let axis = Axis {
            ticks,
            scale,
            edge,
            tick: 4.0,
            font_size,
        };
        Self { bar, axis }
    }

    /// Draws the bar and its ticks.
    pub fn draw(&self, pen: &mut Pen<'_>) {
        let (bar, theme, (least, limit)) = (self.bar, pen.theme(), self.axis.scale.values);
        for strip in 0..STRIPS {
            let part = strip as f64 / STRIPS as f64;
            let value = least + (part + 0.5 / STRIPS as f64) * (limit - least);
            let color = theme.diverging_color(value, limit);
            // Each strip reaches to the end, the next one covers it: no seams between them.
            let rect = match self.axis.edge {
                Edge::Below => Rect {
                    left: bar.left + part * bar.width(),
                    ..bar
                },
                Edge::Left | Edge::Right => Rect {
                    bottom: bar.bottom - part * bar.height(),
                    ..bar
                },
            };
            pen.rect(rect, color.to_rgba());
        }
        let edge = match self.axis.edge {
            Edge::Below => bar.bottom,
            Edge::Left | Edge::Right => bar.right,
        };
        self.axis.draw_ticks(pen, &[edge]);
    }
}
