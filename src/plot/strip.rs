//! A strip plot of one component's contributions: one dot per prompt, and their mean.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::axis::{Axis, Edge};
use super::marks::{dot_rect, draw_dot, draw_picked_dot};
use super::palette::OF_NO_VECTOR;
use super::pen::Pen;
use super::scale::Scale;
use super::scene::{Drawable, LaidOut, NARROW, PlotWithLayout};
use super::{DrawOptions, HeatmapView, Hover, Rect, Step, Target, text};
use crate::math::sort_ascending;
use crate::quantities::measured;
use crate::result::{ResultFile, mean};

/// Height of the strip in CSS pixels.
const HEIGHT: f64 = 132.0;
/// Radius of a dot.
const RADIUS: f64 = 4.5;
/// Dots of equal value stand in this many lanes, then over each other.
const LANES: usize = 7;

/// One component's contributions to the scores of all prompts that the heatmap is a mean of.
#[derive(Debug, Clone, PartialEq)]
pub struct StripPlot {
    /// The component: "head 9.3".
    pub name: String,
    /// Title of the axis.
    pub x_label: String,
    /// A value per prompt.
    pub values: Vec<f32>,
    /// Their mean.
    pub mean: f64,
    /// The prompts' texts; empty where they are not known.
    pub prompts: Vec<String>,
    /// The prompt that is picked.
    pub picked: Option<usize>,
}

impl StripPlot {
    /// The contributions in the cell at `place` (row and column in the result's heatmap) of the heatmap that `view`
    /// names. None when there is no such cell, no component in it, or the result keeps means only.
    pub fn of_result(
        result: &ResultFile,
        view: &HeatmapView,
        place: (usize, usize),
        picked: Option<usize>,
    ) -> Option<Self> {
        let heatmap = result.heatmap(&view.name)?;
        let index = heatmap.index_at(place)?;
        let name = heatmap.components.get(index)?.name();
        let values = heatmap.of_component(index)?;
        Some(Self {
            x_label: format!("Contribution of {name} to the score of each prompt"),
            name,
            mean: mean(&values)?,
            prompts: result.prompts.iter().map(|prompt| prompt.text.clone()).collect(),
            picked: picked.filter(|prompt| *prompt < values.len()),
            values,
        })
    }

    /// The prompts by ascending value.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        sort_ascending(&mut order, |one| self.values[*one]);
        order
    }

    /// See [`LaidOut::draw`].
    fn draw(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let theme = pen.theme();
        let strip = layout.area;
        let zero = layout.x.scale.pixel(0.0);
        pen.vertical(zero, strip.top, strip.bottom, 1.0, theme.axis.mix(0.35));
        let mean = layout.x.scale.pixel(self.mean);
        pen.vertical(mean, strip.top, strip.bottom, 2.0, theme.highlight.to_rgba());
        let color = theme.series_color(OF_NO_VECTOR[0]);
        for (index, dot) in layout.dots.iter().enumerate() {
            if Some(index) != self.picked {
                draw_dot(pen, *dot, RADIUS, color);
            }
        }
        if let Some(dot) = self.picked.and_then(|picked| layout.dots.get(picked)) {
            draw_picked_dot(pen, *dot, RADIUS, color);
        }
        self.draw_labels(pen, layout);
    }

    fn draw_labels(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let (theme, strip, x) = (pen.theme(), layout.area, &layout.x);
        let (color, size, align) = (theme.text.to_rgba(), x.font_size, HPos::Center);
        x.draw_line(pen, strip.bottom, (strip.left, strip.right));
        let mean = format!("mean {}", measured(self.mean, largest(&self.values)));
        let half = text::width(&mean, size) / 2.0;
        let within = Rect {
            left: strip.left + half,
            right: strip.right - half,
            ..strip
        };
        let (at, _) = within.nearest((x.scale.pixel(self.mean), strip.top));
        pen.write(&mean, (at, strip.top - size * 0.8), size, color, align);
        x.draw_labels(pen, strip.bottom);
        let below = (strip.center().0, strip.bottom + x.tick + size * 2.4);
        pen.write(&self.x_label, below, size, color, align);
        x.draw_marks(pen, &[strip.bottom]);
    }
}

impl Drawable for StripPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.x_label
    }

    fn height(&self, _width: f64) -> f64 {
        HEIGHT
    }
}

impl LaidOut for PlotWithLayout<StripPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        self.plot.draw(pen, &self.layout);
    }

    /// The dot at `point`: the nearest one, if it is near.
    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let away = |(x, y): (f64, f64)| (x - point.0).hypot(y - point.1);
        let dots = self
            .layout
            .dots
            .iter()
            .enumerate()
            .map(|(index, dot)| (index, away(*dot)));
        let (index, distance) = dots.min_by(|left, right| left.1.total_cmp(&right.1))?;
        (distance <= 3.0 * RADIUS).then_some(Target::Dot(index))
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Dot(index) = target else { return None };
        let (x, y) = *self.layout.dots.get(index)?;
        let value = f64::from(*self.plot.values.get(index)?);
        let lines = vec![
            format!("prompt {}", index + 1),
            format!("contribution {}", measured(value, largest(&self.plot.values))),
        ];
        let mark = dot_rect((x, y), RADIUS);
        Some(Hover {
            note: self.plot.prompts.get(index).cloned().unwrap_or_default(),
            ..Hover::new(target, mark, self.layout.area, lines)
        })
    }

    fn picked(&self) -> Option<Target> {
        self.plot.picked.map(Target::Dot)
    }

    /// From dot to dot by value.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let order = self.plot.order();
        let last = order.len().checked_sub(1)?;
        let at = match from {
            Some(Target::Dot(index)) => order.iter().position(|dot| *dot == index),
            _ => None,
        };
        let to = match (at, step) {
            (_, Step::First) => 0,
            (_, Step::Last) => last,
            (Some(at), Step::Left | Step::Down) => at.saturating_sub(1),
            (Some(at), Step::Right | Step::Up) => (at + 1).min(last),
            (None, Step::Left | Step::Down) => last,
            (None, _) => 0,
        };
        order.get(to).map(|dot| Target::Dot(*dot))
    }
}

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    /// Where dots are drawn.
    area: Rect,
    x: Axis,
    /// The middle of each prompt's dot.
    dots: Vec<(f64, f64)>,
}

impl Layout {
    fn new(plot: &StripPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let font_size = options.theme.font_size * if narrow { 0.88 } else { 1.0 };
        let area = Rect {
            left: 18.0,
            top: font_size * 1.8,
            right: (width - 18.0).max(19.0),
            bottom: (height - 8.0 - font_size * 3.2).max(font_size * 1.8 + 1.0),
        };
        // 0 is always shown: which side of it a dot is on is half of what it says.
        let values = plot.values.iter().map(|&value| f64::from(value));
        let (low, high) = values.fold((0.0, 0.0), |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        });
        let spare = if high > low { 0.05 * (high - low) } else { 1.0 };
        let range = (low - spare, high + spare);
        let x = Scale::linear(range, (area.left, area.right));
        Self {
            dots: dots(plot, &x, area),
            x: Axis {
                ticks: x.ticks(if narrow { 48.0 } else { 70.0 }),
                scale: x,
                edge: Edge::Below,
                tick: 5.0,
                font_size,
            },
            area,
        }
    }
}

/// The largest of `values` in size.
fn largest(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max)
}

/// Dots that would overlap stand in lanes: the middle one, above it, below it, and so on.
fn dots(plot: &StripPlot, x: &Scale, area: Rect) -> Vec<(f64, f64)> {
    let lane_height = (area.height() / LANES as f64).min(2.0 * RADIUS + 1.0);
    let mut free_from = [f64::NEG_INFINITY; LANES];
    let mut dots = vec![(0.0, 0.0); plot.values.len()];
    for index in plot.order() {
        let place = x.pixel(f64::from(plot.values[index]));
        let lane = (0..LANES)
            .find(|lane| free_from[*lane] <= place)
            .unwrap_or(index % LANES);
        free_from[lane] = place + 2.0 * RADIUS;
        let away = lane.div_ceil(2) as f64 * lane_height;
        let (_, middle) = area.center();
        dots[index] = (place, if lane % 2 == 0 { middle + away } else { middle - away });
    }
    dots
}
