//! Drawing a [`HistogramPlot`].

use plotters::style::Color;

use super::histogram_layout::{Layout, TICK};
use super::legend::Entry;
use super::marks::{draw_bars, draw_box, draw_marker, draw_tops};
use super::pen::{Pen, StrokeGroup};
use super::{HistogramPlot, Rect, Series};
use crate::names::SeriesId;

/// How much a veil hides of what is not lit up: overlaps can still be compared.
const VEIL: f64 = 0.45;
/// Opacity of the bars that are lit up.
const LIT: f64 = 0.8;

impl HistogramPlot {
    /// See [`super::LaidOut::draw`].
    pub(super) fn draw(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let shown = || self.series.iter().enumerate().filter(|(_, series)| series.visible);
        for (index, series) in shown() {
            pen.part(StrokeGroup::Bars(index));
            self.draw_series(pen, layout, pen.theme().bar_opacity, series);
        }
        // Above all bars: none is hidden by others.
        for (index, series) in shown() {
            pen.part(StrokeGroup::Bars(index));
            self.draw_tops(pen, layout, series);
        }
        for (index, row) in &layout.rows {
            pen.part(StrokeGroup::Box(*index));
            draw_row(pen, layout, &self.series[*index], *row);
        }
        pen.part(StrokeGroup::Fixed);
        draw_lines(pen, layout);
        layout.x.draw_ticks(pen, &[layout.bars.bottom, layout.boxes.bottom]);
        pen.part(StrokeGroup::Counts(self.largest_shown_count()));
        layout.y.draw_ticks(pen, &[layout.bars.left]);
        pen.part(StrokeGroup::Fixed);
        layout.title.draw(pen);
        let (x, y) = layout.bars.center();
        let (size, color) = (layout.sizes.title, pen.theme().text.to_rgba());
        let below = layout.bars.bottom + TICK;
        layout.sizes.write_below(pen, &self.x_label, (x, below));
        pen.write_upwards(&self.y_label, (size * 1.1, y), size, color);
        if let Some(legend) = &layout.legend {
            legend.draw(pen, &self.legend_title, self.series.iter().map(entry));
        }
    }

    /// See [`super::LaidOut::highlight`].
    pub(super) fn highlight(&self, pen: &mut Pen<'_>, layout: &Layout, id: &SeriesId) -> Option<()> {
        let series = self.shown_series(id)?;
        pen.rect(layout.both(), pen.theme().background.mix(VEIL));
        self.draw_series(pen, layout, LIT, series);
        self.visible().for_each(|series| self.draw_tops(pen, layout, series));
        for (index, row) in &layout.rows {
            let of_row = &self.series[*index];
            if std::ptr::eq(of_row, series) {
                draw_row(pen, layout, of_row, *row);
            }
        }
        // What is written beside them lies outside the veil.
        draw_lines(pen, layout);
        layout.x.draw_marks(pen, &[layout.bars.bottom, layout.boxes.bottom]);
        layout.y.draw_marks(pen, &[layout.bars.left]);
        Some(())
    }

    /// Bars of `series`, and the mark of the prompt that is picked.
    fn draw_series(&self, pen: &mut Pen<'_>, layout: &Layout, opacity: f64, series: &Series) {
        let color = pen.theme().series_color(series.color);
        let (x, y) = (&layout.x.scale, &layout.y.scale);
        if let Some(bins) = &self.bins {
            draw_bars(pen, layout.bars, (x, y), color.mix(opacity), bins, &series.counts);
        }
        if let Some(value) = series.mark {
            draw_marker(pen, layout.bars, x.pixel(value), color);
        }
    }

    /// The line along the tops of the bars of `series`.
    fn draw_tops(&self, pen: &mut Pen<'_>, layout: &Layout, series: &Series) {
        let color = pen.theme().series_color(series.color).to_rgba();
        if let Some(bins) = &self.bins {
            draw_tops(
                pen,
                layout.bars,
                (&layout.x.scale, &layout.y.scale),
                color,
                bins,
                &series.counts,
            );
        }
    }
}

/// The legend's entry of `series`.
fn entry(series: &Series) -> Entry<'_> {
    Entry {
        label: &series.label,
        color: series.color,
        visible: series.visible,
    }
}

/// The box of `series`.
fn draw_row(pen: &mut Pen<'_>, layout: &Layout, series: &Series, row: Rect) {
    if let Some(stats) = &series.stats {
        let color = pen.theme().series_color(series.color).to_rgba();
        draw_box(pen, &layout.x.scale, color, stats, row);
    }
}

/// The lines of the axes.
fn draw_lines(pen: &mut Pen<'_>, layout: &Layout) {
    let bars = layout.bars;
    layout.x.draw_line(pen, bars.bottom, (bars.left, bars.right));
    layout.x.draw_line(pen, layout.boxes.bottom, (bars.left, bars.right));
    layout.y.draw_line(pen, bars.left, (bars.top, bars.bottom));
}
