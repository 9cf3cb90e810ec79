//! Drawing a [`DotsPlot`], and its pointer and keyboard targets.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::dots_layout::{Layout, RADIUS, suitable_height};
use super::marks::{dot_rect, draw_dot};
use super::pen::Pen;
use super::scene::{Drawable, LaidOut, PlotWithLayout};
use super::{DotsBand, DotsPlot, DotsRow, DrawOptions, Hover, Rect, Step, Target, text};

/// Half the height of a band.
const BAND: f64 = 5.0;
/// Opacity of a band, and of the mark of its mean.
const BAND_OPACITY: (f64, f64) = (0.28, 0.8);

impl Drawable for DotsPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, _width: f64) -> f64 {
        suitable_height(self)
    }

    fn picture_size(&self) -> (u32, u32) {
        // Room for a title of two lines.
        (760, suitable_height(self) as u32 + 70)
    }
}

impl LaidOut for PlotWithLayout<DotsPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout, theme) = (&self.plot, &self.layout, pen.theme());
        layout.title.draw(pen);
        let (area, size, color) = (layout.area, layout.font, theme.text.to_rgba());
        let (value, said) = &plot.reference;
        let at = layout.x.scale.pixel(*value);
        pen.vertical(at, area.top, area.bottom, 1.0, theme.axis.mix(0.55));
        let half = text::width(said, layout.x.font_size) / 2.0;
        let middle = at.min(layout.width - half - 2.0).max(half + 2.0);
        let above = (middle, area.top - layout.x.font_size * 0.8);
        pen.write(said, above, layout.x.font_size, color, HPos::Center);
        for (row, (label, y)) in plot.rows.iter().zip(&layout.rows) {
            pen.horizontal(*y, area.left, area.right, 1.0, theme.axis.mix(0.2));
            draw_row(pen, layout, row, *y);
            pen.write(label, (layout.left, *y), size, color, HPos::Left);
            pen.write(&row.number, (layout.right, *y), size, color, HPos::Right);
        }
        layout.x.draw_line(pen, area.bottom, (area.left, area.right));
        layout.x.draw_ticks(pen, &[area.bottom]);
        let below = (area.center().0, area.bottom + layout.x.tick + layout.x.font_size * 2.3);
        pen.write(&plot.x_label, below, layout.x.font_size, color, HPos::Center);
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let found =
            (0..self.plot.rows.len()).find(|row| self.layout.row(*row).is_some_and(|rect| rect.contains(point)));
        found.map(Target::Dot)
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Dot(index) = target else { return None };
        let row = self.plot.rows.get(index)?;
        let (_, y) = self.layout.rows.get(index)?;
        let x = self.layout.x.scale.pixel(row.value);
        let mark = dot_rect((x, *y), RADIUS);
        Some(Hover {
            swatches: vec![Some(row.color)],
            ..Hover::new(target, mark, self.layout.area, row.lines.clone())
        })
    }

    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let last = self.plot.rows.len().checked_sub(1)?;
        let index = match (from, step) {
            (Some(Target::Dot(index)), Step::Left | Step::Up) => index.saturating_sub(1),
            (Some(Target::Dot(index)), Step::Right | Step::Down) => (index + 1).min(last),
            (_, Step::Last) => last,
            _ => 0,
        };
        Some(Target::Dot(index))
    }
}

fn draw_row(pen: &mut Pen<'_>, layout: &Layout, row: &DotsRow, y: f64) {
    let (x, color) = (&layout.x.scale, pen.theme().series_color(row.color));
    if let Some(DotsBand { range, mean }) = row.band {
        let band = Rect {
            left: x.pixel(range.0),
            right: x.pixel(range.1).max(x.pixel(range.0) + 1.0),
            top: y - BAND,
            bottom: y + BAND,
        };
        pen.rect(band, color.mix(BAND_OPACITY.0));
        pen.vertical(x.pixel(mean), band.top, band.bottom, 1.5, color.mix(BAND_OPACITY.1));
    }
    if let Some((low, high)) = row.spread {
        pen.horizontal(y, x.pixel(low), x.pixel(high), 2.0, color.mix(BAND_OPACITY.1));
    }
    let at = (x.pixel(row.value), y);
    pen.dot(at, RADIUS + 1.5, pen.theme().background.to_rgba());
    draw_dot(pen, at, RADIUS, color);
}
