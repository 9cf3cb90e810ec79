//! What is at a place of a [`HistogramPlot`], what is said about it, and where the arrow keys lead.

use super::histogram_layout::Layout;
use super::{HistogramPlot, Hover, Rect, Step, Target, text, ticks};
use crate::names::SeriesId;

impl HistogramPlot {
    /// The bin or box at `point`.
    pub(super) fn target_at(&self, layout: &Layout, point: (f64, f64)) -> Option<Target> {
        if layout.bars.contains(point) {
            let index = self.bins?.index(layout.x.value(point.0))?;
            return self.is_filled(index).then_some(Target::Bin(index));
        }
        let (index, _) = layout.rows.iter().find(|(_, row)| row.contains(point))?;
        Some(Target::Box(*index))
    }

    /// The series at `point`: that of the box, or of the lowest bar that reaches so high.
    pub(super) fn series_at(&self, layout: &Layout, point: (f64, f64)) -> Option<&SeriesId> {
        match self.target_at(layout, point)? {
            Target::Bin(bin) => {
                let counted = self
                    .visible()
                    .filter_map(|series| Some((series, *series.counts.get(bin)?)));
                let reaching = counted.filter(|(_, count)| *count > 0 && layout.y.pixel(*count as f64) <= point.1);
                let (series, _) = reaching.min_by_key(|(_, count)| *count)?;
                Some(&series.id)
            }
            target => self.series_of(target),
        }
    }

    /// The series that `target` belongs to; a bin belongs to all of them.
    pub(super) fn series_of(&self, target: Target) -> Option<&SeriesId> {
        let Target::Box(index) = target else { return None };
        Some(&self.series.get(index)?.id)
    }

    /// Whether a visible series has values in bin `index`.
    fn is_filled(&self, index: usize) -> bool {
        self.visible()
            .any(|series| series.counts.get(index).is_some_and(|&count| count > 0))
    }

    /// Where `target` stands and what is said about it. None when there is no such thing.
    pub(super) fn hover(&self, layout: &Layout, target: Target) -> Option<Hover> {
        match target {
            Target::Bin(index) => self.bin_hover(layout, index),
            Target::Box(index) => {
                let (_, row) = layout.rows.iter().find(|(series, _)| *series == index)?;
                self.box_hover(layout, index, *row)
            }
            Target::Cell(..) | Target::Dot(_) => None,
        }
    }

    fn bin_hover(&self, layout: &Layout, index: usize) -> Option<Hover> {
        let (bins, mark) = (self.bins?, layout.bin(self, index)?);
        let (low, high) = bins.edges(index);
        // Bins centred on multiples have edges with one more decimal.
        let part = (bins.start / bins.size).fract().abs();
        let decimals = ticks::decimals(bins.size) + usize::from(part > 0.25 && part < 0.75);
        let range = [low, high].map(|edge| text::number(edge, decimals));
        let mut lines = vec![range.join(" to ")];
        let counted = self
            .visible()
            .rev()
            .filter_map(|series| Some((series, *series.counts.get(index)?)));
        lines.extend(counted.map(|(series, count)| format!("{}: {count}", series.label)));
        let largest = self.visible().filter_map(|series| series.counts.get(index)).max()?;
        let top = if *largest > 0 {
            layout.y.pixel(*largest as f64)
        } else {
            layout.bars.bottom
        };
        Some(Hover {
            target: Target::Bin(index),
            anchor: (mark.center().0, top),
            mark,
            area: layout.both(),
            lines,
        })
    }

    fn box_hover(&self, layout: &Layout, index: usize, row: Rect) -> Option<Hover> {
        let series = self.series.get(index)?;
        let stats = series.stats.as_ref()?;
        let show = |value: f64| text::number(value, 4);
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
        let median = layout.x.pixel(stats.median);
        Some(Hover {
            target: Target::Box(index),
            anchor: layout.both().nearest((median, row.top)),
            mark: row,
            area: layout.both(),
            lines,
        })
    }

    /// Where `step` leads from `from`: along the bins that hold something, and up into the boxes.
    pub(super) fn step(&self, layout: &Layout, from: Option<Target>, step: Step) -> Option<Target> {
        let bins = self.bins.map_or(0, |bins| bins.count);
        let shown = |index: &usize| self.is_filled(*index) && layout.bin(self, *index).is_some();
        let bin = match (from, step) {
            (Some(Target::Box(series)), _) => return self.step_from_box(layout, series, step),
            (Some(Target::Bin(_)), Step::Up) => {
                return layout.rows.first().map(|(series, _)| Target::Box(*series));
            }
            (Some(Target::Bin(bin)), Step::Left) => (0..bin.min(bins)).rev().find(shown).or(Some(bin)),
            (Some(Target::Bin(bin)), Step::Right) => (bin + 1..bins).find(shown).or(Some(bin)),
            (Some(Target::Bin(bin)), Step::Down) => Some(bin),
            (_, Step::Last | Step::Left) => (0..bins).rev().find(shown),
            _ => (0..bins).find(shown),
        };
        bin.map(Target::Bin)
    }

    fn step_from_box(&self, layout: &Layout, series: usize, step: Step) -> Option<Target> {
        let row = layout.rows.iter().position(|(index, _)| *index == series)?;
        let last = layout.rows.len() - 1;
        let to = match step {
            Step::Down if row == 0 => return self.bin_below(layout, series).map(Target::Bin),
            Step::Down | Step::Left => row.saturating_sub(1),
            Step::Up | Step::Right => (row + 1).min(last),
            Step::First => 0,
            Step::Last => last,
        };
        layout.rows.get(to).map(|(series, _)| Target::Box(*series))
    }

    /// The bin that holds something and is nearest to the median of `series`.
    fn bin_below(&self, layout: &Layout, series: usize) -> Option<usize> {
        let (bins, stats) = (self.bins?, self.series.get(series)?.stats.as_ref()?);
        let away = |index: &usize| {
            let (low, high) = bins.edges(*index);
            ((low + high) / 2.0 - stats.median).abs()
        };
        let shown = |index: &usize| self.is_filled(*index) && layout.bin(self, *index).is_some();
        (0..bins.count)
            .filter(shown)
            .min_by(|left, right| away(left).total_cmp(&away(right)))
    }

    /// The band between two x, and the values that it spans. None when it is no wider than a hair.
    pub(super) fn select(&self, layout: &Layout, from: f64, to: f64) -> Option<(Rect, (f64, f64))> {
        let (from, to) = (from.min(to), from.max(to));
        let band = layout.both().between(from, to)?;
        let values = self.rounded((layout.x.value(band.left), layout.x.value(band.right)));
        (band.width() >= 2.0).then_some((band, values))
    }

    /// The range `factor` times as long as the one shown, around `target` or its middle. None for all.
    pub(super) fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<(f64, f64)> {
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
        let decimals = self.bins.map_or(4, |bins| ticks::decimals(bins.size) + 3).min(15);
        let scale = 10f64.powi(decimals as i32);
        let round = |value: f64| (value * scale).round() / scale;
        (round(range.0), round(range.1))
    }
}
