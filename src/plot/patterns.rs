//! Small triangular attention patterns of several heads, side by side.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::color_bar::{ColorBar, Colors};
use super::marks::draw_picked_cell;
use super::pen::Pen;
use super::scene::{Drawable, LaidOut, NARROW, PlotWithLayout, SVG_SIZE};
use super::title::Title;
use super::{DrawOptions, Hover, Rect, Step, Target};

/// Least and largest side of a triangle.
const SIDES: (f64, f64) = (70.0, 150.0);
/// Room between triangles, and around all of them.
const GAP: f64 = 12.0;
/// Room for a name above a triangle.
const NAME: f64 = 17.0;
/// Room for the scale of colors below.
const BELOW: f64 = 44.0;
/// Longest scale of colors.
const BAR: f64 = 240.0;
/// What is less than this has the color of nothing.
const SEEN: f32 = 0.01;

/// One of the patterns of a [`PatternsPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct SmallPattern {
    /// What stands above it.
    pub name: String,
    /// Probabilities, row after row: 1 of the first row, 2 of the second, ...
    pub shares: Vec<f32>,
    /// What is to be said about it, a line each.
    pub lines: Vec<String>,
}

/// Small triangles beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternsPlot {
    /// Title.
    pub title: String,
    /// The patterns.
    pub patterns: Vec<SmallPattern>,
    /// Rows of each.
    pub rows: usize,
    /// The one that is picked, by its number.
    pub pick: Option<usize>,
}

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    title: Title,
    font: f64,
    columns: usize,
    /// Side of a triangle.
    side: f64,
    left: f64,
    top: f64,
    bar: ColorBar,
}

/// Patterns beside each other where `count` stand in a plot that is `width` wide, and how wide each can be.
fn columns(count: usize, width: f64) -> (usize, f64) {
    let most = (((width - GAP) / (SIDES.0 + GAP)) as usize).max(1);
    // As many in each row, as far as that goes.
    let columns = count.div_ceil(count.div_ceil(most).max(1)).max(1);
    let side = (width - GAP) / columns as f64 - GAP;
    (columns, side.clamp(1.0, SIDES.1))
}

impl Layout {
    fn new(plot: &PatternsPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let narrow = width < NARROW;
        let title = Title::new(&plot.title, width, narrow, options);
        let top = title.bottom();
        let (columns, widest) = columns(plot.patterns.len(), width);
        let rows = plot.patterns.len().div_ceil(columns).max(1) as f64;
        let highest = (height - top - BELOW) / rows - NAME - GAP;
        let side = widest.min(highest).max(1.0);
        let whole = columns as f64 * (side + GAP) - GAP;
        let left = if narrow { GAP } else { (width - whole) / 2.0 };
        let below = top + rows * (side + NAME + GAP);
        let bar = Rect {
            left,
            top: below,
            right: left + whole.min(BAR),
            bottom: below + 10.0,
        };
        let font = options.theme.font_size;
        Self {
            bar: ColorBar::of(bar, Colors::UpTo(1.0), false, font),
            title,
            font,
            columns,
            side,
            left,
            top,
        }
    }

    /// Where pattern `index` stands with its name.
    fn tile(&self, index: usize) -> Rect {
        let (row, column) = (index / self.columns, index % self.columns);
        let left = self.left + column as f64 * (self.side + GAP);
        let top = self.top + row as f64 * (self.side + NAME + GAP);
        Rect {
            left,
            top,
            right: left + self.side,
            bottom: top + NAME + self.side,
        }
    }
}

/// Draws the triangle of `shares` in `area`: several cells as one where they are less than a pixel.
fn draw_triangle(pen: &mut Pen<'_>, area: Rect, shares: &[f32], rows: usize) {
    let theme = pen.theme();
    let corners = [
        (area.left, area.top),
        (area.left, area.bottom),
        (area.right, area.bottom),
    ];
    pen.polygon(&corners, theme.diverging_color(0.0, 1.0).to_rgba());
    let block = ((rows as f64 / area.width()).ceil() as usize).max(1);
    let at = |place: usize| area.width() * place.min(rows) as f64 / rows.max(1) as f64;
    for row in (0..rows).step_by(block) {
        for column in (0..=row).step_by(block) {
            let cells = (row..rows.min(row + block)).flat_map(|row| {
                let first = row * (row + 1) / 2;
                shares.get(first + column..first + (column + block).min(row + 1))
            });
            let share = cells.flatten().copied().fold(0.0, f32::max);
            if share < SEEN {
                continue;
            }
            let cell = Rect {
                left: area.left + at(column),
                top: area.top + at(row),
                right: area.left + at(column + block),
                bottom: area.top + at(row + block),
            };
            pen.rect(cell, theme.diverging_color(f64::from(share), 1.0).to_rgba());
        }
    }
}

impl Drawable for PatternsPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        let (columns, side) = columns(self.patterns.len(), width);
        let rows = self.patterns.len().div_ceil(columns).max(1) as f64;
        (8.0 + rows * (side + NAME + GAP) + BELOW).round()
    }

    /// Higher where there are many.
    fn picture_size(&self) -> (u32, u32) {
        let height = self.height(f64::from(SVG_SIZE.0)) as u32 + 60;
        (SVG_SIZE.0, SVG_SIZE.1.max(height))
    }
}

impl LaidOut for PlotWithLayout<PatternsPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout) = (&self.plot, &self.layout);
        let color = pen.theme().text.to_rgba();
        for (index, pattern) in plot.patterns.iter().enumerate() {
            let tile = layout.tile(index);
            let area = Rect {
                top: tile.top + NAME,
                ..tile
            };
            draw_triangle(pen, area, &pattern.shares, plot.rows);
            let at = (tile.left, tile.top + NAME / 2.0);
            pen.write(&pattern.name, at, layout.font, color, HPos::Left);
        }
        if let Some(picked) = plot.pick.filter(|picked| *picked < plot.patterns.len()) {
            let tile = layout.tile(picked);
            let around = Rect {
                left: tile.left - GAP / 3.0,
                top: tile.top - GAP / 6.0,
                right: tile.right + GAP / 3.0,
                bottom: tile.bottom + GAP / 3.0,
            };
            draw_picked_cell(pen, around);
        }
        layout.bar.draw(pen);
        layout.title.draw(pen);
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let mut all = 0..self.plot.patterns.len();
        all.find(|index| self.layout.tile(*index).contains(point))
            .map(Target::Pattern)
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Pattern(index) = target else { return None };
        let pattern = self.plot.patterns.get(index)?;
        let mark = self.layout.tile(index);
        Some(Hover::new(target, mark, Rect::default(), pattern.lines.clone()))
    }

    /// From one to the next, up and down from row to row; first to the one that is picked.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let last = self.plot.patterns.len().checked_sub(1)?;
        let columns = self.layout.columns;
        let Some(Target::Pattern(from)) = from else {
            return Some(Target::Pattern(self.plot.pick.unwrap_or(0).min(last)));
        };
        let to = match step {
            Step::Left => from.checked_sub(1),
            Step::Right => Some(from + 1),
            Step::Up => from.checked_sub(columns),
            Step::Down => Some(from + columns),
            Step::First => Some(0),
            Step::Last => Some(last),
        };
        Some(Target::Pattern(to.filter(|to| *to <= last).unwrap_or(from)))
    }
}
