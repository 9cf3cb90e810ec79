//! A plot's title: its lines, their size and place, for every kind of plot.

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::DrawOptions;
use super::pen::Pen;
use super::text;

/// A title over a plot, laid out; without lines where it is not to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Title {
    lines: Vec<String>,
    size: f64,
    left: f64,
}

impl Title {
    /// `title` over a plot that is `width` wide, in CSS pixels.
    pub fn new(title: &str, width: f64, narrow: bool, options: &DrawOptions) -> Self {
        let size = options.theme.title_size * if narrow { 0.8 } else { 1.0 };
        let left = if narrow { 8.0 } else { 0.05 * width };
        let (lines, size) = if options.title {
            text::title(title, size, width - left - 8.0)
        } else {
            (Vec::new(), size)
        };
        Self { lines, size, left }
    }

    /// Where what is below the title may begin.
    pub fn bottom(&self) -> f64 {
        if self.lines.is_empty() {
            8.0
        } else {
            22.0 + self.lines.len() as f64 * self.size * 1.3
        }
    }

    /// Draws the title's lines.
    pub fn draw(&self, pen: &mut Pen<'_>) {
        let color = pen.theme().text.to_rgba();
        let first = 16.0 + self.size * 0.65;
        for (index, line) in self.lines.iter().enumerate() {
            let y = first + index as f64 * self.size * 1.3;
            pen.write(line, (self.left, y), self.size, color, HPos::Left);
        }
    }
}
