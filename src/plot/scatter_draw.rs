//! Drawing a [`ScatterPlot`], and its pointer and keyboard targets.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::axis::{Axis, Edge, Sizes};
use super::marks::{dot_rect, draw_picked_dot};
use super::palette::OF_NO_VECTOR;
use super::pen::Pen;
use super::scale::Scale;
use super::scatter::equal_values;
use super::scene::{Drawable, LaidOut, NARROW, PlotWithLayout};
use super::title::Title;
use super::{DrawOptions, Hover, Rect, ScatterMark, ScatterPlot, Step, Target};
use crate::quantities::{grouped, number};

/// Length of tick marks.
const TICK: f64 = 5.0;
/// How far from a mark a pointer still means it.
const NEAR: f64 = 14.0;
/// Opacity of marks that are looked at, and of the others.
const OPACITY: (f64, f64) = (0.62, 0.14);

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    title: Title,
    sizes: Sizes,
    /// Where marks are drawn.
    area: Rect,
    x: Axis,
    y: Axis,
    radius: f64,
    /// The prompts that keys reach, by their first value and by their second one.
    orders: [Vec<usize>; 2],
}

type Placed = PlotWithLayout<ScatterPlot, Layout>;

impl Layout {
    fn new(plot: &ScatterPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let sizes = Sizes::new(&options.theme, if narrow { 0.88 } else { 1.0 });
        let title = Title::new(&plot.title, width, narrow, options);
        let axis = |scale: Scale, spacing, edge| Axis {
            ticks: scale.ticks(spacing),
            scale,
            edge,
            tick: TICK,
            font_size: sizes.font,
        };
        let (x_range, y_range) = plot.ranges();
        let (top, below) = (title.bottom(), height - TICK - sizes.below());
        let bottom = below.max(top + 1.0);
        let y = axis(Scale::linear(y_range, (bottom, top)), 45.0, Edge::Left);
        let left = TICK + 4.0 + y.widest_label() + sizes.title * 2.2;
        let area = Rect {
            left,
            top,
            right: (width - 14.0).max(left + 1.0),
            bottom,
        };
        let x = Scale::linear(x_range, (area.left, area.right));
        Self {
            title,
            sizes,
            x: axis(x, if narrow { 42.0 } else { 70.0 }, Edge::Below),
            y,
            // Many marks are small, so that they do not become one.
            radius: (90.0 / (plot.marks.len().max(1) as f64).sqrt()).clamp(2.4, 4.5),
            orders: [plot.along(|mark| mark.at.0), plot.along(|mark| mark.at.1)],
            area,
        }
    }

    fn place(&self, mark: &ScatterMark) -> (f64, f64) {
        (self.x.scale.pixel(mark.at.0), self.y.scale.pixel(mark.at.1))
    }
}

impl Drawable for ScatterPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }
}

impl LaidOut for Placed {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout, theme) = (&self.plot, &self.layout, pen.theme());
        layout.title.draw(pen);
        self.draw_equal_values(pen);
        let color = theme.series_color(OF_NO_VECTOR[0]);
        for listed in [false, true] {
            let opacity = if listed { OPACITY.0 } else { OPACITY.1 };
            for mark in plot.marks.iter().filter(|mark| mark.listed == listed) {
                pen.dot(layout.place(mark), layout.radius, color.mix(opacity));
            }
        }
        if let Some(mark) = plot.picked.and_then(|picked| plot.mark(picked)) {
            draw_picked_dot(pen, layout.place(mark), layout.radius.max(4.0), color);
        }
        let (area, sizes) = (layout.area, layout.sizes);
        layout.x.draw_line(pen, area.bottom, (area.left, area.right));
        layout.y.draw_line(pen, area.left, (area.top, area.bottom));
        layout.x.draw_ticks(pen, &[area.bottom]);
        layout.y.draw_ticks(pen, &[area.left]);
        let (x, y) = area.center();
        sizes.write_below(pen, &plot.x_label, (x, area.bottom + TICK));
        pen.write_upwards(&plot.y_label, (sizes.title, y), sizes.title, theme.text.to_rgba());
    }

    /// The mark at `point`: the nearest one, if it is near.
    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let away = |mark: &ScatterMark| {
            let (x, y) = self.layout.place(mark);
            (x - point.0).hypot(y - point.1)
        };
        let reached = self.plot.marks.iter().filter(|mark| self.is_reached(mark));
        let found = reached.map(|mark| (mark.prompt, away(mark)));
        let (prompt, distance) = found.min_by(|left, right| left.1.total_cmp(&right.1))?;
        (distance <= NEAR).then_some(Target::Dot(prompt))
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Dot(prompt) = target else { return None };
        let plot = &self.plot;
        let found = plot.mark(prompt).filter(|mark| self.is_reached(mark))?;
        let place = self.layout.place(found);
        let mark = dot_rect(place, self.layout.radius);
        let lines = vec![
            format!("prompt {}", grouped(prompt + 1)),
            format!("{}: {}", plot.x_label, number(found.at.0, plot.decimals.0)),
            format!("{}: {}", plot.y_label, number(found.at.1, plot.decimals.1)),
        ];
        Some(Hover {
            note: plot.texts.get(prompt).cloned().unwrap_or_default(),
            ..Hover::new(target, mark, self.layout.area, lines)
        })
    }

    fn picked(&self) -> Option<Target> {
        self.plot.picked.map(Target::Dot)
    }

    /// To the sides by the first value, up and down by the second one; at first the prompt that is picked.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let plot = &self.plot;
        let across = matches!(step, Step::Left | Step::Right | Step::First | Step::Last);
        let order = &self.layout.orders[usize::from(!across)];
        let last = order.len().checked_sub(1)?;
        let at = match from {
            Some(Target::Dot(prompt)) => order.iter().position(|known| *known == prompt),
            _ => None,
        };
        let picked = || order.iter().position(|prompt| plot.picked == Some(*prompt));
        let to = match (at, step) {
            (_, Step::First) => 0,
            (_, Step::Last) => last,
            (Some(at), Step::Left | Step::Down) => at.saturating_sub(1),
            (Some(at), Step::Right | Step::Up) => (at + 1).min(last),
            (None, Step::Left | Step::Down) => picked().unwrap_or(last),
            (None, Step::Right | Step::Up) => picked().unwrap_or(0),
        };
        order.get(to).map(|prompt| Target::Dot(*prompt))
    }
}

impl Placed {
    fn is_reached(&self, mark: &ScatterMark) -> bool {
        mark.listed || self.plot.picked == Some(mark.prompt)
    }

    /// The line where both values are equal, with its name at its upper end.
    fn draw_equal_values(&self, pen: &mut Pen<'_>) {
        let (layout, theme) = (&self.layout, pen.theme());
        let line = equal_values(&layout.x.scale, &layout.y.scale).filter(|_| self.plot.same_unit);
        let Some(line) = line else { return };
        pen.path(&line, 1.0, theme.axis.mix(0.6));
        let (size, area) = (layout.sizes.font, layout.area);
        let slope = area.width() / area.height();
        let at = (area.right - slope * size * 1.6 - 4.0, area.top + size * 0.7);
        pen.write("equal values", at, size, theme.text.to_rgba(), HPos::Right);
    }
}
