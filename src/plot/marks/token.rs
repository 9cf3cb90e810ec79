//! A token of a sentence: a chip with its text and a bar.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBAColor, RGBColor};

use crate::plot::Rect;
use crate::plot::pen::Pen;

/// Radius of a chip's corners.
const CORNER: f64 = 5.0;
/// Room between a chip's edge and its bar.
const MARGIN: f64 = 6.0;
/// Height of the bar.
const BAR: f64 = 5.0;
/// Points that an arc is drawn through.
const STEPS: usize = 24;

/// How a token is drawn.
#[derive(Debug, Clone, Copy)]
pub struct TokenMark<'a> {
    /// What is written.
    pub text: &'a str,
    /// Size of its type.
    pub size: f64,
    /// How much of the bar is full, 0 to 1; None for a token that is not seen, which is gray.
    pub share: Option<f64>,
    /// The color of its frame; None for a thin gray one.
    pub frame: Option<RGBColor>,
}

/// Draws a token in `chip`.
pub fn draw_token(pen: &mut Pen<'_>, chip: Rect, mark: TokenMark<'_>) {
    let theme = pen.theme();
    let corners = rounded(chip);
    match mark.frame {
        Some(color) => {
            pen.polygon(&corners, color.mix(0.1));
            pen.outline(&corners, 2.0, color.to_rgba());
        }
        None => pen.outline(&corners, 1.0, theme.axis.mix(0.3)),
    }
    let opacity = if mark.share.is_some() { 1.0 } else { 0.45 };
    let text_at = (chip.center().0, chip.top + (chip.height() - MARGIN - BAR) / 2.0 + 0.5);
    pen.write(mark.text, text_at, mark.size, theme.text.mix(opacity), HPos::Center);
    let Some(share) = mark.share else { return };
    let bar = Rect {
        left: chip.left + MARGIN,
        top: chip.bottom - MARGIN - BAR,
        right: chip.right - MARGIN,
        bottom: chip.bottom - MARGIN,
    };
    pen.rect(bar, theme.axis.mix(0.15));
    if share > 0.0 {
        let right = bar.left + bar.width() * share.min(1.0);
        pen.rect(Rect { right, ..bar }, theme.key.to_rgba());
    }
}

/// Draws an arc from one point to another that rises `height` above the higher one, as wide as said.
pub fn draw_arc(pen: &mut Pen<'_>, from: (f64, f64), to: (f64, f64), height: f64, (color, width): (RGBAColor, f64)) {
    // A cubic curve reaches three quarters of the way to its two middle points.
    let high = from.1.min(to.1) - height / 0.75;
    let at = |step: usize| {
        let t = step as f64 / STEPS as f64;
        let (s0, s1) = ((1.0 - t).powi(3), 3.0 * (1.0 - t).powi(2) * t);
        let (s2, s3) = (3.0 * (1.0 - t) * t * t, t.powi(3));
        (
            (s0 + s1) * from.0 + (s2 + s3) * to.0,
            s0 * from.1 + (s1 + s2) * high + s3 * to.1,
        )
    };
    let points: Vec<(f64, f64)> = (0..=STEPS).map(at).collect();
    pen.path(&points, width, color);
}

/// The outline of `rect` with round corners.
fn rounded(rect: Rect) -> Vec<(f64, f64)> {
    let radius = CORNER.min(rect.width() / 2.0).min(rect.height() / 2.0);
    let centers = [
        (rect.right - radius, rect.top + radius),
        (rect.right - radius, rect.bottom - radius),
        (rect.left + radius, rect.bottom - radius),
        (rect.left + radius, rect.top + radius),
    ];
    let corner = |(quarter, (x, y)): (usize, (f64, f64))| {
        (0..=3).map(move |step| {
            let angle = (quarter as f64 - 1.0 + f64::from(step) / 3.0) * std::f64::consts::FRAC_PI_2;
            (x + radius * angle.cos(), y + radius * angle.sin())
        })
    };
    centers.into_iter().enumerate().flat_map(corner).collect()
}
