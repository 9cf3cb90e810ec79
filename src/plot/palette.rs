//! Colors of series.
//!
//! Hues are those of Okabe and Ito (2008, "Color Universal Design"): blue, orange, bluish green, vermillion, reddish
//! purple, sky blue, black, yellow; wine of Tol (2021, "Colour schemes", muted) and gray make ten. Lightness,
//! and hue within 15 degrees, were moved until every color has a contrast of at least 3:1 to the theme's background (on white,
//! Okabe and Ito's orange, sky blue and yellow have less), and the first seven are as far apart as they get in OKLab as
//! seen with protanopia, deuteranopia, tritanopia (matrices of Machado, Oliveira and Fernandes 2009) and without.

use plotters::style::RGBColor;

use crate::names::SeriesId;

/// Number of colors; more series than that share them.
pub const COLORS: usize = 10;

/// On white.
pub(super) const LIGHT: [RGBColor; COLORS] = [
    RGBColor(0x24, 0x46, 0x77),
    RGBColor(0xB1, 0x8E, 0x32),
    RGBColor(0x31, 0x7C, 0x5B),
    RGBColor(0x8A, 0x23, 0x03),
    RGBColor(0xE9, 0x64, 0xA9),
    RGBColor(0x4C, 0x90, 0xF7),
    RGBColor(0x15, 0x14, 0x13),
    RGBColor(0x62, 0x17, 0x2F),
    RGBColor(0x81, 0x64, 0x00),
    RGBColor(0x55, 0x54, 0x53),
];

/// On the dark background: the same hues in the same order, black as white.
pub(super) const DARK: [RGBColor; COLORS] = [
    RGBColor(0x3E, 0x63, 0xD2),
    RGBColor(0xE1, 0x83, 0x00),
    RGBColor(0x40, 0xB3, 0x80),
    RGBColor(0xB4, 0x3E, 0x28),
    RGBColor(0xD6, 0x9C, 0xD4),
    RGBColor(0xB5, 0xDE, 0xFF),
    RGBColor(0xFF, 0xFF, 0xFF),
    RGBColor(0x8C, 0x4E, 0x94),
    RGBColor(0xFD, 0xE4, 0x4B),
    RGBColor(0x7F, 0x7F, 0x7F),
];

/// The color of each of `series`, as a number below [`COLORS`].
///
/// A known series always has the same color, in every figure and for every run. Others take the colors that are left,
/// in the order given; when none are left they begin again.
pub(super) fn colors<'a>(series: impl Iterator<Item = &'a SeriesId> + Clone) -> Vec<usize> {
    let taken: Vec<usize> = series.clone().filter_map(SeriesId::color).collect();
    let mut left: Vec<usize> = (0..COLORS).filter(|color| !taken.contains(color)).collect();
    left.extend(0..COLORS);
    let mut left = left.into_iter().cycle();
    let mut color = |series: &SeriesId| series.color().or_else(|| left.next()).unwrap_or_default();
    series.map(&mut color).collect()
}
