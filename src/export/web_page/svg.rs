//! A sheet's strokes as SVG elements. Colors are custom properties with a value for each theme.

use std::collections::HashMap;
use std::fmt::Write;

use plotters::style::RGBAColor;
use plotters::style::text_anchor::HPos;

use super::html::escaped;
use crate::plot::{PixelPoint, SHEET_UNITS, Stroke, StrokeGroup, Text, ThemedStroke};

/// Pairs of colors of the light and the dark theme, without duplicates.
#[derive(Default)]
pub(super) struct Colors {
    pairs: Vec<[String; 2]>,
    numbers: HashMap<[String; 2], usize>,
}

impl Colors {
    /// The CSS value of a color that is `light` or `dark`, depending on the theme.
    pub(super) fn value(&mut self, light: RGBAColor, dark: RGBAColor) -> String {
        let pair = [hex(light), hex(dark)];
        let number = match self.numbers.get(&pair) {
            Some(number) => *number,
            None => {
                self.pairs.push(pair.clone());
                self.numbers.insert(pair, self.pairs.len() - 1);
                self.pairs.len() - 1
            }
        };
        format!("var(--c{number})")
    }

    /// Declarations of all colors in a theme: 0 is light, 1 dark.
    pub(super) fn declared(&self, theme: usize) -> String {
        let one = |(number, pair): (usize, &[String; 2])| format!("--c{number}:{};", pair[theme]);
        self.pairs.iter().enumerate().map(one).collect()
    }
}

/// A color in CSS, as short as possible.
fn hex(RGBAColor(red, green, blue, opacity): RGBAColor) -> String {
    let alpha = (opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    match alpha {
        255 => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => format!("#{red:02x}{green:02x}{blue:02x}{alpha:02x}"),
    }
}

/// The name of a part in the page. None for parts that never change.
pub(super) fn group(part: StrokeGroup) -> Option<String> {
    match part {
        StrokeGroup::Fixed => None,
        StrokeGroup::Bars(series) => Some(format!("b{series}")),
        StrokeGroup::Box(series) => Some(format!("x{series}")),
        StrokeGroup::Counts(largest) => Some(format!("c{largest}")),
    }
}

/// Writes `strokes`; consecutive ones of the same appearance share an element.
pub(super) fn write(strokes: &[ThemedStroke], colors: &mut Colors, into: &mut String) {
    let mut open = String::new();
    for (stroke, dark) in strokes {
        let color = colors.value(stroke.color(), *dark);
        let look = look(stroke, &color);
        if look != open {
            close(&open, into);
            into.push_str(&look);
            open = look;
        }
        place(stroke, into);
    }
    close(&open, into);
}

/// The opening tag shared by strokes of the same appearance.
fn look(stroke: &Stroke, color: &str) -> String {
    match stroke {
        // One path for adjacent rectangles of one color.
        Stroke::Rectangle(..) | Stroke::Polygon(..) => format!("<path fill=\"{color}\" d=\""),
        // The line width stays the same when bars are stretched.
        Stroke::Path(_, width, _) => format!(
            "<path fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\" vector-effect=\"non-scaling-stroke\" d=\"",
            f64::from(*width) / f64::from(SHEET_UNITS)
        ),
        Stroke::Dot(_, radius, _) => format!("<g fill=\"{color}\" data-radius=\"{radius}\">"),
        Stroke::Text(Text { align, size, .. }) => {
            let anchor = match align {
                HPos::Left => "start",
                HPos::Center => "middle",
                HPos::Right => "end",
            };
            format!("<g fill=\"{color}\" font-size=\"{size:.0}\" text-anchor=\"{anchor}\">")
        }
    }
}

fn close(open: &str, into: &mut String) {
    if open.starts_with("<path") {
        into.push_str("\"/>");
    } else if !open.is_empty() {
        into.push_str("</g>");
    }
}

fn place(stroke: &Stroke, into: &mut String) {
    // Writing to a string cannot fail.
    let _ = match stroke {
        Stroke::Rectangle([one, other], _) => {
            let (left, top) = (one.0.min(other.0), one.1.min(other.1));
            let (width, height) = (one.0.abs_diff(other.0), one.1.abs_diff(other.1));
            write!(into, "M{left} {top}h{width}v{height}h-{width}z")
        }
        Stroke::Polygon(points, _) => {
            line(points, into);
            write!(into, "z")
        }
        Stroke::Path(points, ..) => {
            line(points, into);
            Ok(())
        }
        Stroke::Dot((x, y), radius, _) => write!(into, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"),
        Stroke::Text(Text {
            text,
            at: (x, y),
            upwards,
            ..
        }) => {
            let rotation = if *upwards {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            write!(into, "<text x=\"{x}\" y=\"{y}\"{rotation}>{}</text>", escaped(text))
        }
    };
}

fn line(points: &[PixelPoint], into: &mut String) {
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(into, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
    }
}
