//! A legend: a colored square and a name for each series, beside a plot or below it.

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::axis::Sizes;
use super::geometry::Rect;
use super::pen::Pen;
use super::text;

/// Side of the square, gap beside it, space after an entry.
const SWATCH: f64 = 12.0;
const SWATCH_GAP: f64 = 8.0;
const SPACE: f64 = 6.0;
/// Height of an entry.
const ROW: f64 = 19.0;
/// Room that a legend below a plot takes above its entries.
const TITLE_BELOW: f64 = 22.0;

/// An entry as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The name.
    pub label: &'a str,
    /// Number of its color; see [`super::Theme::series_color`].
    pub color: usize,
    /// Whether what it stands for is drawn; it is dimmed when not.
    pub visible: bool,
}

/// A legend, laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    sizes: Sizes,
    /// Left end and middle of its title.
    title_at: (f64, f64),
    /// Rectangle of each entry, in their order.
    pub entries: Vec<Rect>,
}

fn entry_width(label: &str, sizes: Sizes) -> f64 {
    SWATCH + SWATCH_GAP + text::width(label, sizes.font) + SPACE
}

/// Width of a legend beside a plot.
pub fn width<'a>(title: &str, labels: impl Iterator<Item = &'a str>, sizes: Sizes) -> f64 {
    let entries = labels.map(|label| entry_width(label, sizes));
    entries.fold(text::width(title, sizes.title), f64::max)
}

impl Legend {
    /// `count` entries below one another.
    pub fn beside(count: usize, (left, top): (f64, f64), width: f64, sizes: Sizes) -> Self {
        let entry = |index: usize| {
            let top = top + 12.0 + index as f64 * ROW;
            Rect {
                left,
                top,
                right: left + width,
                bottom: top + ROW,
            }
        };
        Self {
            sizes,
            title_at: (left, top),
            entries: (0..count).map(entry).collect(),
        }
    }

    /// Entries that flow into lines, at the lower end of a plot of `width` x `height`; and the room that they take there.
    pub fn below<'a>(labels: impl Iterator<Item = &'a str>, (width, height): (f64, f64), sizes: Sizes) -> (Self, f64) {
        let (mut x, mut row) = (0.0, 0);
        let mut places = Vec::new();
        for label in labels {
            let entry = entry_width(label, sizes);
            if x > 0.0 && x + entry > width - 16.0 {
                (x, row) = (0.0, row + 1);
            }
            places.push((x, row, entry));
            x += entry + SPACE;
        }
        let rows = places.iter().map(|(_, row, _)| row + 1).max();
        let room = rows.map_or(0.0, |rows| TITLE_BELOW + f64::from(rows) * ROW);
        let above = height - room;
        let entry = |(x, row, width): (f64, u32, f64)| {
            let (left, top) = (8.0 + x, above + 18.0 + f64::from(row) * ROW);
            Rect {
                left,
                top,
                right: left + width,
                bottom: top + ROW,
            }
        };
        let legend = Self {
            sizes,
            title_at: (8.0, above + 8.0),
            entries: places.into_iter().map(entry).collect(),
        };
        (legend, room)
    }

    /// Draws the legend: its title, and `entries` as they were laid out.
    pub fn draw<'a>(&self, pen: &mut Pen<'_>, title: &str, entries: impl Iterator<Item = Entry<'a>>) {
        let (theme, align) = (pen.theme(), HPos::Left);
        pen.write(title, self.title_at, self.sizes.title, theme.text.to_rgba(), align);
        for (entry, place) in entries.zip(&self.entries) {
            let opacity = if entry.visible { 1.0 } else { 0.45 };
            let (_, y) = place.center();
            let swatch = Rect {
                left: place.left,
                top: y - SWATCH / 2.0,
                right: place.left + SWATCH,
                bottom: y + SWATCH / 2.0,
            };
            pen.rect(swatch, theme.series_color(entry.color).mix(opacity));
            let at = (swatch.right + SWATCH_GAP, y);
            pen.write(entry.label, at, self.sizes.font, theme.text.mix(opacity), align);
        }
    }
}
