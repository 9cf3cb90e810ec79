//! Plots as SVG files.

use plotters::drawing::IntoDrawingArea;
use plotters::prelude::SVGBackend;

use super::{DrawOptions, Plot, Theme};
use crate::error::Result;

/// Units per pixel: plotters' coordinates are whole numbers, and a bar's edge should be where it belongs.
const UNITS: u32 = 8;

/// `plot` as SVG text of `size` (width and height in CSS pixels).
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when drawing fails.
pub fn plot_svg(plot: &Plot, size: (u32, u32), theme: &Theme) -> Result<String> {
    svg(plot, size, &options(theme))
}

fn options(theme: &Theme) -> DrawOptions {
    DrawOptions::svg(f64::from(UNITS), theme.clone())
}

fn svg(plot: &Plot, (width, height): (u32, u32), options: &DrawOptions) -> Result<String> {
    let (width, height) = (width.clamp(1, 100_000), height.clamp(1, 100_000));
    let units = (width * UNITS, height * UNITS);
    let mut text = String::new();
    plot.draw(&SVGBackend::with_string(&mut text, units).into_drawing_area(), options)?;
    let size = |(width, height): (u32, u32)| format!("width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&size(units), &size((width, height)), 1))
}
