//! An axis: its line, its ticks and its labels.

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::pen::Pen;
use super::scale::{Scale, Tick};
use super::{Theme, text};

/// Where an axis stands of what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Below it: values go from left to right.
    Below,
    /// To its left: values go upwards.
    Left,
    /// To its right.
    Right,
}

/// A scale along an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Values to pixels along the edge.
    pub scale: Scale,
    /// Where there are tick marks, and what is written there.
    pub ticks: Vec<Tick>,
    /// Which edge.
    pub edge: Edge,
    /// Length of tick marks.
    pub tick: f64,
    /// Size of the type of ticks.
    pub font_size: f64,
}

/// Room between tick marks and labels beside them.
const GAP: f64 = 3.0;

impl Axis {
    /// Draws a line along the edge that is at `at`.
    pub fn draw_line(&self, pen: &mut Pen<'_>, at: f64, (from, to): (f64, f64)) {
        let color = pen.theme().axis.to_rgba();
        match self.edge {
            Edge::Below => pen.horizontal(at, from, to, 1.0, color),
            Edge::Left | Edge::Right => pen.vertical(at, from, to, 1.0, color),
        }
    }

    /// Draws tick marks at each of `edges`.
    pub fn draw_marks(&self, pen: &mut Pen<'_>, edges: &[f64]) {
        self.ticks.iter().for_each(|tick| self.draw_mark(pen, tick, edges));
    }

    /// Writes the labels of an edge at `at`.
    pub fn draw_labels(&self, pen: &mut Pen<'_>, at: f64) {
        self.ticks.iter().for_each(|tick| self.draw_label(pen, tick, at));
    }

    /// Draws tick marks at each of `edges`, with labels at the first one.
    pub fn draw_ticks(&self, pen: &mut Pen<'_>, edges: &[f64]) {
        for tick in &self.ticks {
            self.draw_mark(pen, tick, edges);
            if let Some(at) = edges.first() {
                self.draw_label(pen, tick, *at);
            }
        }
    }

    fn draw_mark(&self, pen: &mut Pen<'_>, (value, _): &Tick, edges: &[f64]) {
        let (place, color) = (self.scale.pixel(*value), pen.theme().axis.to_rgba());
        for at in edges {
            match self.edge {
                Edge::Below => pen.vertical(place, *at, at + self.tick, 1.0, color),
                Edge::Left => pen.horizontal(place, at - self.tick, *at, 1.0, color),
                Edge::Right => pen.horizontal(place, *at, at + self.tick, 1.0, color),
            }
        }
    }

    fn draw_label(&self, pen: &mut Pen<'_>, (value, label): &Tick, at: f64) {
        let (place, size, color) = (self.scale.pixel(*value), self.font_size, pen.theme().text.to_rgba());
        let (at, align) = match self.edge {
            Edge::Below => ((place, at + self.tick + size * 0.9), HPos::Center),
            Edge::Left => ((at - self.tick - GAP, place), HPos::Right),
            Edge::Right => ((at + self.tick + GAP, place), HPos::Left),
        };
        pen.write(label, at, size, color, align);
    }

    /// Width of the widest label.
    pub fn widest_label(&self) -> f64 {
        let widths = self.ticks.iter().map(|(_, label)| text::width(label, self.font_size));
        widths.fold(0.0, f64::max)
    }
}

/// Sizes of a plot's type: those of the theme, or smaller ones on a phone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Of ticks, legend entries and cells.
    pub font: f64,
    /// Of the titles of axes and legend.
    pub title: f64,
}

impl Sizes {
    /// The sizes of `theme`, times `smaller`.
    pub fn new(theme: &Theme, smaller: f64) -> Self {
        Self {
            font: theme.font_size * smaller,
            title: theme.axis_title_size * smaller,
        }
    }

    /// Room that the labels and the title of an axis take below it, its tick marks not counted.
    pub fn below(&self) -> f64 {
        self.font * 1.8 + self.title * 1.8
    }

    /// Writes the title of an axis whose tick marks end at `bottom`, its middle at `x`.
    pub fn write_below(&self, pen: &mut Pen<'_>, title: &str, (x, bottom): (f64, f64)) {
        let (y, color) = (bottom + self.font * 1.8 + self.title * 0.8, pen.theme().text.to_rgba());
        pen.write(title, (x, y), self.title, color, HPos::Center);
    }
}
