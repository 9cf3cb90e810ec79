//! Colors of series.
//!
//! A vector has one color: the same in scores and probabilities, at the query and at the key, in a run and in a sentence
//! ([`SeriesId::color`]). Hues are near those that the notebook's figures have: blue for a random token, red for no patching, purple
//! for an earlier head, orange for W_U\[IO\], green and teal for what comes from W_E. Each has one hue in both themes, and a contrast of
//! at least 3:1 to the background. Within this hue, lightness and chroma were searched for (simulated annealing in OKLCH) such that
//! series that are seen together are far apart in OKLab, without and with protanopia, deuteranopia and tritanopia (matrices of Machado,
//! Oliveira and Fernandes 2009), and that where translucent bars of two overlap the color is neither one's nor a third one's. How far
//! they are apart is held in `tests/plots/colors.rs`.

use plotters::style::RGBColor;

use crate::names::SeriesId;

/// Number of colors; more series than that share them.
pub const COLORS: usize = 13;

/// The numbers of two colors that no vector has: for values that are of none.
pub const OF_NO_VECTOR: [usize; 2] = [11, 12];

/// On white.
pub(super) const LIGHT: [RGBColor; COLORS] = [
    RGBColor(0xC5, 0x89, 0x00),
    RGBColor(0x6A, 0x6A, 0x00),
    RGBColor(0x73, 0x37, 0x00),
    RGBColor(0x00, 0x37, 0xC0),
    RGBColor(0x89, 0x8D, 0xAD),
    RGBColor(0xA9, 0x4A, 0xF2),
    RGBColor(0xCE, 0x42, 0x5E),
    RGBColor(0x15, 0x14, 0x13),
    RGBColor(0x8A, 0x00, 0x94),
    RGBColor(0x00, 0x52, 0x02),
    RGBColor(0x00, 0x85, 0x9B),
    RGBColor(0x00, 0x41, 0x74),
    RGBColor(0xA9, 0x52, 0x00),
];

/// On the dark background: the same hues in the same order, black as white.
pub(super) const DARK: [RGBColor; COLORS] = [
    RGBColor(0xFF, 0xB8, 0x0A),
    RGBColor(0xA6, 0xA1, 0x00),
    RGBColor(0x98, 0x56, 0x00),
    RGBColor(0x4E, 0x6C, 0xFF),
    RGBColor(0x67, 0x64, 0x89),
    RGBColor(0xD3, 0xAB, 0xFF),
    RGBColor(0xC9, 0x5D, 0x5B),
    RGBColor(0xFF, 0xFF, 0xFF),
    RGBColor(0xFF, 0x6E, 0xFF),
    RGBColor(0x7F, 0xE4, 0xA0),
    RGBColor(0x22, 0x8D, 0xAE),
    RGBColor(0x4C, 0xA8, 0xFF),
    RGBColor(0xED, 0x97, 0x64),
];

/// The color of each of `series`, as a number below [`COLORS`].
///
/// A known series always has the same color, in every figure and for every run. Others take first those that no vector has, then
/// those that are left, in the order given; when none are left they begin again.
pub(super) fn colors<'a>(series: impl Iterator<Item = &'a SeriesId> + Clone) -> Vec<usize> {
    let taken: Vec<usize> = series.clone().filter_map(SeriesId::color).collect();
    let of_vectors = (0..COLORS).filter(|color| !OF_NO_VECTOR.contains(color));
    let all = || OF_NO_VECTOR.into_iter().chain(of_vectors.clone());
    let mut left: Vec<usize> = all().filter(|color| !taken.contains(color)).collect();
    left.extend(all());
    let mut left = left.into_iter().cycle();
    let mut color = |series: &SeriesId| series.color().or_else(|| left.next()).unwrap_or_default();
    series.map(&mut color).collect()
}
