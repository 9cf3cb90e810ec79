//! Drawing a [`HistogramPlot`].

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBAColor};

use super::geometry::Rect;
use super::histogram_layout::{Layout, Legend, SWATCH, TICK, Target};
use super::pen::{Pen, Text};
use super::{DrawOptions, HistogramPlot, Series, Theme};
use crate::error::Result;
use crate::result::{Bins, BoxStats};

/// Bars wider than this have light edges, full ones at twice the width.
const EDGES_FROM: f64 = 3.0;
/// Half a box's height as part of its row.
const BOX_SHARE: f64 = 0.26;

impl HistogramPlot {
    /// Draws the plot over the whole of `area`, which is in device pixels.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the backend fails.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, options: &DrawOptions) -> Result<()> {
        let pen = Pen::new(area, options);
        let (width, height) = pen.size();
        let layout = Layout::new(self, width, height, options);
        let theme = &options.theme;
        pen.background()?;
        self.draw_hover(&pen, &layout, options)?;
        if let Some(bins) = self.bins {
            self.visible()
                .try_for_each(|series| draw_bars(&pen, &layout, theme, &bins, series))?;
        }
        for (index, row) in &layout.rows {
            let series = &self.series[*index];
            if let Some(stats) = &series.stats {
                draw_box(&pen, &layout, series.color.to_rgba(), stats, *row)?;
            }
        }
        draw_axes(&pen, &layout, theme)?;
        layout.title.draw(&pen, options)?;
        self.draw_titles(&pen, &layout, theme)?;
        layout
            .legend
            .as_ref()
            .map_or(Ok(()), |legend| self.draw_legend(&pen, &layout, legend, theme))
    }

    fn draw_hover<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, options: &DrawOptions) -> Result<()> {
        let color = options.theme.highlight.mix(0.1);
        match options.hover.and_then(|point| layout.target(self, point)) {
            Some(Target::Bin(index)) => {
                let (low, high) = self.bins.map_or((0.0, 0.0), |bins| bins.edges(index));
                let band = Rect {
                    left: layout.x.pixel(low),
                    right: layout.x.pixel(high),
                    ..layout.bars
                };
                pen.rect(band, color)
            }
            Some(Target::Box(_, row)) => pen.rect(row, color),
            None => Ok(()),
        }
    }

    fn draw_titles<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, theme: &Theme) -> Result<()> {
        let color = theme.text.to_rgba();
        let (size, align) = (layout.axis_title_size, HPos::Center);
        let (x, _) = layout.bars.center();
        let y = layout.bars.bottom + TICK + layout.font_size * 1.8 + size * 0.8;
        pen.text(&Text {
            text: &self.x_label,
            x,
            y,
            size,
            color,
            align,
            upwards: false,
        })?;
        let (_, y) = layout.bars.center();
        pen.text(&Text {
            text: &self.y_label,
            x: size * 1.1,
            y,
            size,
            color,
            align,
            upwards: true,
        })
    }

    fn draw_legend<DB: DrawingBackend>(
        &self,
        pen: &Pen<'_, DB>,
        layout: &Layout,
        legend: &Legend,
        theme: &Theme,
    ) -> Result<()> {
        let (x, y) = legend.title_at;
        let (size, align, color) = (layout.axis_title_size, HPos::Left, theme.text.to_rgba());
        pen.text(&Text {
            text: &self.legend_title,
            x,
            y,
            size,
            color,
            align,
            upwards: false,
        })?;
        for (series, entry) in self.series.iter().zip(&legend.entries) {
            let opacity = if series.visible { 1.0 } else { 0.45 };
            let (_, y) = entry.center();
            let swatch = Rect {
                left: entry.left,
                top: y - SWATCH / 2.0,
                right: entry.left + SWATCH,
                bottom: y + SWATCH / 2.0,
            };
            pen.rect(swatch, series.color.mix(opacity))?;
            let (x, size, color) = (swatch.right + 8.0, layout.font_size, theme.text.mix(opacity));
            pen.text(&Text {
                text: &series.label,
                x,
                y,
                size,
                color,
                align: HPos::Left,
                upwards: false,
            })?;
        }
        Ok(())
    }
}

fn draw_bars<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    layout: &Layout,
    theme: &Theme,
    bins: &Bins,
    series: &Series,
) -> Result<()> {
    let width = layout.x.pixel(bins.size) - layout.x.pixel(0.0);
    for (index, &count) in series.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (low, high) = bins.edges(index);
        let bar = Rect {
            left: layout.x.pixel(low),
            top: layout.y.pixel(count as f64),
            right: layout.x.pixel(high),
            bottom: layout.bars.bottom,
        };
        pen.rect(bar, series.color.mix(theme.bar_opacity))?;
        // Light edges tell neighbours apart; on bars of a few pixels they would wash out the colour.
        if width > EDGES_FROM {
            let edge = theme.background.mix(0.6 * ((width - EDGES_FROM) / EDGES_FROM).min(1.0));
            pen.vertical(bar.left, bar.top, bar.bottom, 1.0, edge)?;
            pen.vertical(bar.right, bar.top, bar.bottom, 1.0, edge)?;
        }
    }
    Ok(())
}

fn draw_box<DB: DrawingBackend>(
    pen: &Pen<'_, DB>,
    layout: &Layout,
    color: RGBAColor,
    stats: &BoxStats,
    row: Rect,
) -> Result<()> {
    let (_, y) = row.center();
    let half = (row.height() * BOX_SHARE).min(12.0);
    let stroke = (half / 3.0).clamp(1.0, 2.0);
    let x = |value: f64| layout.x.pixel(value);
    for (whisker, quartile) in [(stats.lower_whisker, stats.q1), (stats.upper_whisker, stats.q3)] {
        let (from, to) = (x(whisker).min(x(quartile)), x(whisker).max(x(quartile)));
        pen.horizontal(y, from, to, stroke, color)?;
        pen.vertical(x(whisker), y - half / 2.0, y + half / 2.0, stroke, color)?;
    }
    // With few values the notch is longer than the box; Plotly then folds it back, we end it with the box.
    let (notch_low, notch_high) = (
        (stats.median - stats.notch).max(stats.q1),
        (stats.median + stats.notch).min(stats.q3),
    );
    let waist = half / 2.0;
    let corners = [
        (x(stats.q1), y - half),
        (x(notch_low), y - half),
        (x(stats.median), y - waist),
        (x(notch_high), y - half),
        (x(stats.q3), y - half),
        (x(stats.q3), y + half),
        (x(notch_high), y + half),
        (x(stats.median), y + waist),
        (x(notch_low), y + half),
        (x(stats.q1), y + half),
    ];
    pen.polygon(&corners, color.mix(0.5))?;
    pen.outline(&corners, stroke, color)?;
    pen.vertical(x(stats.median), y - waist, y + waist, stroke, color)?;
    let radius = (half * 0.45).clamp(1.5, 3.0);
    stats
        .outliers
        .iter()
        .try_for_each(|&value| pen.dot((x(value), y), radius, color))
}

fn draw_axes<DB: DrawingBackend>(pen: &Pen<'_, DB>, layout: &Layout, theme: &Theme) -> Result<()> {
    let (axis, color, size) = (theme.axis.to_rgba(), theme.text.to_rgba(), layout.font_size);
    let bars = layout.bars;
    pen.horizontal(bars.bottom, bars.left, bars.right, 1.0, axis)?;
    pen.horizontal(layout.boxes.bottom, bars.left, bars.right, 1.0, axis)?;
    pen.vertical(bars.left, bars.top, bars.bottom, 1.0, axis)?;
    for (value, label) in &layout.x_ticks {
        let x = layout.x.pixel(*value);
        pen.vertical(x, bars.bottom, bars.bottom + TICK, 1.0, axis)?;
        pen.vertical(x, layout.boxes.bottom, layout.boxes.bottom + TICK, 1.0, axis)?;
        let y = bars.bottom + TICK + size * 0.9;
        pen.text(&Text {
            text: label,
            x,
            y,
            size,
            color,
            align: HPos::Center,
            upwards: false,
        })?;
    }
    for (value, label) in &layout.y_ticks {
        let y = layout.y.pixel(*value);
        pen.horizontal(y, bars.left - TICK, bars.left, 1.0, axis)?;
        let x = bars.left - TICK - 3.0;
        pen.text(&Text {
            text: label,
            x,
            y,
            size,
            color,
            align: HPos::Right,
            upwards: false,
        })?;
    }
    Ok(())
}
