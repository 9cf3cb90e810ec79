//! Pointer and keyboard targets of a [`HistogramPlot`], and their descriptions.

use std::sync::Arc;

use super::histogram_layout::Layout;
use super::pen::{Pen, StrokeGroup};
use super::scene::{Drawable, LaidOut, Plot, PlotWithLayout, Zoom};
use super::switches::{Switch, Switches};
use super::{DrawOptions, HistogramPlot, Hover, Pin, Rect, Step, Target};
use crate::names::SeriesId;
use crate::quantities::{measured, multiple};

/// A histogram, laid out.
type Placed = PlotWithLayout<HistogramPlot, Layout>;

impl Drawable for HistogramPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn opened(&self) -> Option<(Plot, Vec<bool>)> {
        let mut opened = self.clone();
        opened.series.iter_mut().for_each(|series| series.visible = true);
        Some((opened.into(), self.series.iter().map(|series| series.visible).collect()))
    }
}

impl LaidOut for Placed {
    fn draw(&self, pen: &mut Pen<'_>) {
        self.plot.draw(pen, &self.layout);
    }

    fn switches(&self, pen: &mut Pen<'_>) -> Option<Switches> {
        let (plot, layout) = (&self.plot, &self.layout);
        let switch = |series| Switch {
            largest: plot.largest_count_of(series),
            label: series.label.clone(),
            note: series.note.clone(),
            color: series.color,
        };
        let series: Vec<Switch> = plot.series.iter().map(switch).collect();
        let whole = plot.largest_shown_count();
        let mut axes = vec![(whole, 1.0)];
        for Switch { largest, .. } in &series {
            if axes.iter().any(|(known, _)| known == largest) {
                continue;
            }
            let (axis, longer) = layout.with_largest(plot, *largest);
            pen.part(StrokeGroup::Counts(*largest));
            axis.draw_ticks(pen, &[layout.bars.left]);
            axes.push((*largest, longer));
        }
        Some(Switches {
            title: plot.legend_title.clone(),
            series,
            axes,
            bottom: layout.bars.bottom,
            rows: layout.boxes,
        })
    }

    fn series_of_lines(&self, target: Target) -> Vec<Option<(usize, bool)>> {
        let lines = self.hover(target).map_or(0, |hover| hover.lines.len());
        match target {
            Target::Bin(bin) => {
                let visible = self.plot.series.iter().enumerate().filter(|(_, series)| series.visible);
                let counted = visible.filter_map(|(index, series)| Some(Some((index, *series.counts.get(bin)? > 0))));
                [None].into_iter().chain(counted).collect()
            }
            Target::Box(index) => vec![Some((index, true)); lines],
            _ => Vec::new(),
        }
    }

    fn highlight(&self, pen: &mut Pen<'_>, series: &SeriesId) -> Option<()> {
        self.plot.highlight(pen, &self.layout, series)
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let layout = &self.layout;
        if layout.bars.contains(point) {
            let index = self.plot.bins?.index(layout.x.scale.value(point.0))?;
            return self.is_filled(index).then_some(Target::Bin(index));
        }
        let (index, _) = layout.rows.iter().find(|(_, row)| row.contains(point))?;
        Some(Target::Box(*index))
    }

    /// That of the box, or of the lowest bar that reaches so high.
    fn series_at(&self, point: (f64, f64)) -> Option<&SeriesId> {
        match self.target_at(point)? {
            Target::Bin(bin) => {
                let visible = self.plot.visible();
                let counted = visible.filter_map(|series| Some((series, *series.counts.get(bin)?)));
                let top = |count: usize| self.layout.y.scale.pixel(count as f64);
                let reaching = counted.filter(|(_, count)| *count > 0 && top(*count) <= point.1);
                let (series, _) = reaching.min_by_key(|(_, count)| *count)?;
                Some(&series.id)
            }
            target => self.series_of(target),
        }
    }

    /// A bin belongs to all of them.
    fn series_of(&self, target: Target) -> Option<&SeriesId> {
        let Target::Box(index) = target else { return None };
        Some(&self.plot.series.get(index)?.id)
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        match target {
            Target::Bin(index) => self.bin_hover(index),
            Target::Box(index) => {
                let (_, row) = self.layout.rows.iter().find(|(series, _)| *series == index)?;
                self.box_hover(index, *row)
            }
            Target::Cell(..) | Target::Dot(_) | Target::Token(_) | Target::Pattern(_) => None,
        }
    }

    /// A bin by the value in its middle: bins of another width have another one there.
    fn pin(&self, target: Target) -> Option<Pin> {
        let hover = self.hover(target)?;
        match hover.target {
            Target::Bin(index) => {
                let (low, high) = self.plot.bins?.edges(index);
                Some(Pin::Bin((low + high) / 2.0))
            }
            target => self.series_of(target).cloned().map(Pin::Box),
        }
    }

    fn pinned(&self, pin: &Pin) -> Option<Hover> {
        match pin {
            Pin::Bin(value) => self.bin_told(self.plot.bins?.index(*value)?),
            Pin::Box(of) => {
                let found = self.plot.series.iter().position(|series| series.id == *of)?;
                self.hover(Target::Box(found))
            }
            Pin::Part(..) => None,
        }
    }

    /// Along the bins that hold something, and up into the boxes.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let bins = self.plot.bins.map_or(0, |bins| bins.count);
        let shown = |index: &usize| self.is_shown(*index);
        let bin = match (from, step) {
            (Some(Target::Box(series)), _) => return self.step_from_box(series, step),
            (Some(Target::Bin(_)), Step::Up) => {
                return self.layout.rows.first().map(|(series, _)| Target::Box(*series));
            }
            (Some(Target::Bin(bin)), Step::Left) => (0..bin.min(bins)).rev().find(shown).or(Some(bin)),
            (Some(Target::Bin(bin)), Step::Right) => (bin + 1..bins).find(shown).or(Some(bin)),
            (Some(Target::Bin(bin)), Step::Down) => Some(bin),
            (_, Step::Last | Step::Left) => (0..bins).rev().find(shown),
            _ => (0..bins).find(shown),
        };
        bin.map(Target::Bin)
    }

    /// The band between two x, and the values that it spans. None when it is no wider than a hair.
    fn select(&self, from: (f64, f64), to: (f64, f64)) -> Option<(Rect, Zoom)> {
        let (from, to) = (from.0.min(to.0), from.0.max(to.0));
        let band = self.layout.both().between(from, to)?;
        let value = |x: f64| self.layout.x.scale.value(x);
        let values = self.plot.rounded((value(band.left), value(band.right)));
        (band.width() >= 2.0).then(|| (band, Zoom::Values(self.plot.within(values))))
    }

    fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<Zoom> {
        Some(Zoom::Values(self.plot.zoomed(target, factor)))
    }

    /// As far as there are values; the range stays as long as it is.
    fn moved(&self, from: (f64, f64), to: (f64, f64)) -> Option<Zoom> {
        let (low, high) = self.plot.zoom?;
        let (length, (first, last)) = (high - low, self.plot.full_range());
        let value = |x: f64| self.layout.x.scale.value(x);
        let low = (low + value(from.0) - value(to.0)).clamp(first, first.max(last - length));
        Some(Zoom::Values(self.plot.within(self.plot.rounded((low, low + length)))))
    }
}

impl Placed {
    /// Whether a visible series has values in bin `index`.
    fn is_filled(&self, index: usize) -> bool {
        let mut visible = self.plot.visible();
        visible.any(|series| series.counts.get(index).is_some_and(|&count| count > 0))
    }

    /// Whether bin `index` is filled and within the part that is shown.
    fn is_shown(&self, index: usize) -> bool {
        self.is_filled(index) && self.layout.bin(&self.plot, index).is_some()
    }

    fn bin_hover(&self, index: usize) -> Option<Hover> {
        self.bin_told(index).filter(|hover| hover.mark.width() > 0.0)
    }

    /// What is to be said about bin `index`, also where it is outside the part that is shown.
    fn bin_told(&self, index: usize) -> Option<Hover> {
        let (layout, bins) = (&self.layout, self.plot.bins?);
        let mark = layout.bin(&self.plot, index);
        let (low, high) = bins.edges(index);
        // Bins centered on multiples have edges with one more decimal.
        let part = (bins.start / bins.size).fract().abs();
        let step = bins.size * if part > 0.25 && part < 0.75 { 0.1 } else { 1.0 };
        let range = [low, high].map(|edge| multiple(edge, step, self.plot.largest()));
        let mut lines = vec![range.join(" to ")];
        let mut swatches = vec![None];
        for series in self.plot.visible() {
            let count = series.counts.get(index)?;
            lines.push(format!("{}: {count}", series.label));
            swatches.push(Some(series.color));
        }
        let largest = self
            .plot
            .visible()
            .filter_map(|series| series.counts.get(index))
            .max()?;
        let top = if *largest > 0 {
            layout.y.scale.pixel(*largest as f64)
        } else {
            layout.bars.bottom
        };
        Some(Hover {
            about: mark.map_or_else(Rect::default, |mark| Rect { top, ..mark }),
            swatches,
            ..Hover::new(Target::Bin(index), mark.unwrap_or_default(), layout.both(), lines)
        })
    }

    fn box_hover(&self, index: usize, row: Rect) -> Option<Hover> {
        let layout = &self.layout;
        let series = self.plot.series.get(index)?;
        let stats = series.stats.as_ref()?;
        let show = |value: f64| measured(value, self.plot.largest());
        let lines = vec![
            format!("{}: {} values", series.label, stats.count),
            format!("mean {}", show(stats.mean)),
            format!("median {}", show(stats.median)),
            format!("quartiles {} to {}", show(stats.q1), show(stats.q3)),
            format!(
                "whiskers {} to {}",
                show(stats.lower_whisker),
                show(stats.upper_whisker)
            ),
            format!("all {} to {}", show(stats.min), show(stats.max)),
            format!("outliers {}", stats.outliers.len()),
        ];
        let x = |value: f64| layout.x.scale.pixel(value);
        let whiskers = Rect {
            left: x(stats.lower_whisker),
            right: x(stats.upper_whisker),
            ..row
        };
        Some(Hover {
            about: whiskers.between(row.left, row.right).unwrap_or(row),
            swatches: vec![Some(series.color)],
            ..Hover::new(Target::Box(index), row, layout.both(), lines)
        })
    }

    fn step_from_box(&self, series: usize, step: Step) -> Option<Target> {
        let row = self.layout.rows.iter().position(|(index, _)| *index == series)?;
        let last = self.layout.rows.len() - 1;
        let to = match step {
            Step::Down if row == 0 => return self.bin_below(series).map(Target::Bin),
            Step::Down | Step::Left => row.saturating_sub(1),
            Step::Up | Step::Right => (row + 1).min(last),
            Step::First => 0,
            Step::Last => last,
        };
        self.layout.rows.get(to).map(|(series, _)| Target::Box(*series))
    }

    /// The bin that holds something and is nearest to the median of `series`.
    fn bin_below(&self, series: usize) -> Option<usize> {
        let (bins, stats) = (self.plot.bins?, self.plot.series.get(series)?.stats.as_ref()?);
        let away = |index: &usize| {
            let (low, high) = bins.edges(*index);
            ((low + high) / 2.0 - stats.median).abs()
        };
        (0..bins.count)
            .filter(|index| self.is_shown(*index))
            .min_by(|left, right| away(left).total_cmp(&away(right)))
    }
}

impl HistogramPlot {
    /// The range `factor` times as long as the one shown, around `target` or its middle. None for all.
    fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<(f64, f64)> {
        let (low, high) = self.range();
        let middle = match target {
            Some(Target::Bin(index)) => self
                .bins
                .map(|bins| bins.edges(index))
                .map(|(low, high)| (low + high) / 2.0),
            Some(Target::Box(index)) => {
                let stats = self.series.get(index).and_then(|series| series.stats.as_ref());
                stats.map(|stats| stats.median)
            }
            _ => None,
        };
        let middle = middle.unwrap_or((low + high) / 2.0);
        let (first, last) = self.full_range();
        let length = (high - low) * factor;
        // All but a hair, which rounding took, is all.
        if length >= 0.999 * (last - first) {
            return None;
        }
        // At the edge the other side gives way, so that out again leads back to all.
        let from = (middle - length / 2.0).clamp(first, last - length);
        self.within(self.rounded((from, from + length)))
    }

    /// `range` with as many decimals as tell a thousandth of a bin: a link to it is short.
    fn rounded(&self, range: (f64, f64)) -> (f64, f64) {
        let power = self.bins.map_or(-1.0, |bins| bins.size.log10().floor());
        let scale = 10f64.powi(3 - power as i32);
        let round = |value: f64| (value * scale).round() / scale;
        (round(range.0), round(range.1))
    }
}
