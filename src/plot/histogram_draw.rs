//! Drawing a [`HistogramPlot`].

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::boxes::draw_box;
use super::geometry::Rect;
use super::histogram_layout::{Layout, Legend, SWATCH, TICK};
use super::pen::Pen;
use super::{HistogramPlot, Series, Theme};
use crate::names::SeriesId;
use crate::result::Bins;

/// Bars wider than this have light edges, full ones at twice the width.
const EDGES_FROM: f64 = 3.0;
/// How much a veil hides of what is not lit up.
const VEIL: f64 = 0.78;

impl HistogramPlot {
    /// See [`super::LaidOut::draw`].
    pub(super) fn draw(&self, pen: &mut Pen<'_>, layout: &Layout) {
        let theme = pen.theme();
        for series in self.visible() {
            self.draw_series(pen, layout, theme, series);
        }
        self.draw_boxes(pen, layout, theme);
        draw_axes(pen, layout, theme, true);
        layout.title.draw(pen);
        self.draw_titles(pen, layout, theme);
        if let Some(legend) = &layout.legend {
            self.draw_legend(pen, layout, legend, theme);
        }
    }

    /// See [`super::LaidOut::highlight`].
    pub(super) fn highlight(&self, pen: &mut Pen<'_>, layout: &Layout, id: &SeriesId) -> Option<()> {
        let series = self.shown_series(id)?;
        let theme = pen.theme();
        pen.rect(layout.both(), theme.background.mix(VEIL));
        let lit = Theme {
            bar_opacity: 1.0,
            ..theme.clone()
        };
        self.draw_series(pen, layout, &lit, series);
        for (index, row) in &layout.rows {
            let of_row = &self.series[*index];
            if let (true, Some(stats)) = (std::ptr::eq(of_row, series), &of_row.stats) {
                let color = theme.series_color(series.color).to_rgba();
                draw_box(pen, layout, color, stats, *row);
            }
        }
        // What is written beside them lies outside the veil.
        draw_axes(pen, layout, theme, false);
        Some(())
    }

    /// Bars of `series`, and the mark of the prompt that is picked.
    fn draw_series(&self, pen: &mut Pen<'_>, layout: &Layout, theme: &Theme, series: &Series) {
        if let Some(bins) = &self.bins {
            draw_bars(pen, layout, theme, bins, series);
        }
        let Some(x) = series.mark.map(|value| layout.x.pixel(value)) else {
            return;
        };
        if x < layout.bars.left || x > layout.bars.right {
            return;
        }
        // A line with a light edge is seen on bars of its own colour, too.
        let (top, bottom) = (layout.bars.top, layout.bars.bottom);
        pen.vertical(x, top, bottom, 4.0, theme.background.mix(0.75));
        pen.vertical(x, top, bottom, 2.0, theme.series_color(series.color).to_rgba());
    }

    fn draw_boxes(&self, pen: &mut Pen<'_>, layout: &Layout, theme: &Theme) {
        for (index, row) in &layout.rows {
            let series = &self.series[*index];
            let color = theme.series_color(series.color).to_rgba();
            if let Some(stats) = &series.stats {
                draw_box(pen, layout, color, stats, *row);
            }
        }
    }

    fn draw_titles(&self, pen: &mut Pen<'_>, layout: &Layout, theme: &Theme) {
        let color = theme.text.to_rgba();
        let (size, align) = (layout.axis_title_size, HPos::Center);
        let (x, _) = layout.bars.center();
        let y = layout.bars.bottom + TICK + layout.font_size * 1.8 + size * 0.8;
        pen.write(&self.x_label, (x, y), size, color, align);
        let (_, y) = layout.bars.center();
        pen.write_upwards(&self.y_label, (size * 1.1, y), size, color);
    }

    fn draw_legend(&self, pen: &mut Pen<'_>, layout: &Layout, legend: &Legend, theme: &Theme) {
        let (x, y) = legend.title_at;
        let (size, align, color) = (layout.axis_title_size, HPos::Left, theme.text.to_rgba());
        pen.write(&self.legend_title, (x, y), size, color, align);
        for (series, entry) in self.series.iter().zip(&legend.entries) {
            let opacity = if series.visible { 1.0 } else { 0.45 };
            let (_, y) = entry.center();
            let swatch = Rect {
                left: entry.left,
                top: y - SWATCH / 2.0,
                right: entry.left + SWATCH,
                bottom: y + SWATCH / 2.0,
            };
            pen.rect(swatch, theme.series_color(series.color).mix(opacity));
            let (x, size, color) = (swatch.right + 8.0, layout.font_size, theme.text.mix(opacity));
            pen.write(&series.label, (x, y), size, color, HPos::Left);
        }
    }
}

fn draw_bars(pen: &mut Pen<'_>, layout: &Layout, theme: &Theme, bins: &Bins, series: &Series) {
    let width = layout.x.pixel(bins.size) - layout.x.pixel(0.0);
    let color = theme.series_color(series.color).mix(theme.bar_opacity);
    for (index, &count) in series.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (low, high) = bins.edges(index);
        let whole = Rect {
            left: layout.x.pixel(low),
            top: layout.y.pixel(count as f64),
            right: layout.x.pixel(high),
            bottom: layout.bars.bottom,
        };
        let Some(bar) = whole.between(layout.bars.left, layout.bars.right) else {
            continue;
        };
        pen.rect(bar, color);
        // Light edges tell neighbours apart; on bars of a few pixels they would wash out the colour.
        if width > EDGES_FROM {
            let edge = theme.background.mix(0.6 * ((width - EDGES_FROM) / EDGES_FROM).min(1.0));
            pen.vertical(bar.left, bar.top, bar.bottom, 1.0, edge);
            pen.vertical(bar.right, bar.top, bar.bottom, 1.0, edge);
        }
    }
}

/// The axes and their ticks, with what is written beside them if it is `labelled`.
fn draw_axes(pen: &mut Pen<'_>, layout: &Layout, theme: &Theme, labelled: bool) {
    let (axis, color, size) = (theme.axis.to_rgba(), theme.text.to_rgba(), layout.font_size);
    let bars = layout.bars;
    pen.horizontal(bars.bottom, bars.left, bars.right, 1.0, axis);
    pen.horizontal(layout.boxes.bottom, bars.left, bars.right, 1.0, axis);
    pen.vertical(bars.left, bars.top, bars.bottom, 1.0, axis);
    for (value, label) in &layout.x_ticks {
        let x = layout.x.pixel(*value);
        pen.vertical(x, bars.bottom, bars.bottom + TICK, 1.0, axis);
        pen.vertical(x, layout.boxes.bottom, layout.boxes.bottom + TICK, 1.0, axis);
        if labelled {
            let y = bars.bottom + TICK + size * 0.9;
            pen.write(label, (x, y), size, color, HPos::Center);
        }
    }
    for (value, label) in &layout.y_ticks {
        let y = layout.y.pixel(*value);
        pen.horizontal(y, bars.left - TICK, bars.left, 1.0, axis);
        if labelled {
            let x = bars.left - TICK - 3.0;
            pen.write(label, (x, y), size, color, HPos::Right);
        }
    }
}
