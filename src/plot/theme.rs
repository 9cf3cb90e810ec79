//! Colors and fonts.

use plotters::style::RGBColor;

use super::palette::{COLORS, DARK, LIGHT};

/// ColorBrewer's RdBu as Plotly has it, from the most negative value to the most positive.
const RED_BLUE: [RGBColor; 11] = [
    RGBColor(103, 0, 31),
    RGBColor(178, 24, 43),
    RGBColor(214, 96, 77),
    RGBColor(244, 165, 130),
    RGBColor(253, 219, 199),
    RGBColor(247, 247, 247),
    RGBColor(209, 229, 240),
    RGBColor(146, 197, 222),
    RGBColor(67, 147, 195),
    RGBColor(33, 102, 172),
    RGBColor(5, 48, 97),
];

/// The same hues for a dark page: small values are dark, large ones bright.
const RED_BLUE_DARK: [RGBColor; 11] = [
    RGBColor(255, 168, 150),
    RGBColor(244, 109, 87),
    RGBColor(209, 60, 56),
    RGBColor(150, 38, 42),
    RGBColor(88, 33, 39),
    RGBColor(38, 42, 48),
    RGBColor(26, 53, 79),
    RGBColor(25, 82, 130),
    RGBColor(37, 117, 184),
    RGBColor(81, 156, 217),
    RGBColor(150, 203, 245),
];

/// Colors, fonts and sizes of a plot. Sizes are CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Behind everything.
    pub background: RGBColor,
    /// Titles, labels, numbers.
    pub text: RGBColor,
    /// Axis lines and tick marks.
    pub axis: RGBColor,
    /// Opacity of bars: where series overlap, both can be seen.
    pub bar_opacity: f64,
    /// Colors of series.
    pub series: [RGBColor; COLORS],
    /// What is picked.
    pub highlight: RGBColor,
    /// The token that a head looks from.
    pub query: RGBColor,
    /// The token that it looks to, and how much of its attention goes anywhere.
    pub key: RGBColor,
    /// Diverging scale from the most negative to the most positive value; the middle one means 0.
    pub diverging: [RGBColor; 11],
    /// Light text, for dark cells.
    pub text_on_dark: RGBColor,
    /// Dark text, for light cells.
    pub text_on_light: RGBColor,
    /// CSS font family.
    pub font_family: &'static str,
    /// Size of tick labels, legend entries and cell labels.
    pub font_size: f64,
    /// Size of axis titles and the legend's title.
    pub axis_title_size: f64,
    /// Size of the title.
    pub title_size: f64,
}

impl Theme {
    /// For a white page, and for export.
    pub const fn light() -> Self {
        Self {
            background: RGBColor(255, 255, 255),
            text: RGBColor(0x24, 0x24, 0x24),
            axis: RGBColor(0x24, 0x24, 0x24),
            bar_opacity: 0.6,
            series: LIGHT,
            highlight: RGBColor(0x11, 0x11, 0x11),
            query: RGBColor(0x8A, 0x22, 0x00),
            key: RGBColor(0x1D, 0x4F, 0x8C),
            diverging: RED_BLUE,
            text_on_dark: RGBColor(255, 255, 255),
            text_on_light: RGBColor(0x44, 0x44, 0x44),
            font_family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif",
            font_size: 12.0,
            axis_title_size: 14.0,
            title_size: 17.0,
        }
    }

    /// For a dark page.
    pub const fn dark() -> Self {
        Self {
            background: RGBColor(0x16, 0x19, 0x1D),
            text: RGBColor(0xE4, 0xE6, 0xE9),
            axis: RGBColor(0xA9, 0xAF, 0xB8),
            bar_opacity: 0.7,
            series: DARK,
            highlight: RGBColor(0xFF, 0xFF, 0xFF),
            query: RGBColor(0xFF, 0x9E, 0x7A),
            key: RGBColor(0x8F, 0xBC, 0xF5),
            diverging: RED_BLUE_DARK,
            text_on_dark: RGBColor(0xD5, 0xD8, 0xDC),
            text_on_light: RGBColor(0x16, 0x19, 0x1D),
            ..Self::light()
        }
    }

    /// For a system that forces its own colors, `background` and `text`: those of the theme that is made for such a background stay
    /// where they tell things apart.
    pub fn forced(background: RGBColor, text: RGBColor) -> Self {
        let is_dark = contrast(background, Self::dark().text) > contrast(background, Self::light().text);
        let like = if is_dark { Self::dark() } else { Self::light() };
        Self {
            background,
            text,
            axis: text,
            highlight: text,
            ..like
        }
    }

    /// Color of a series, by its number.
    pub fn series_color(&self, color: usize) -> RGBColor {
        self.series[color % COLORS]
    }

    /// Color of `value` on the diverging scale from `-limit` to `limit`, interpolated in sRGB.
    pub fn diverging_color(&self, value: f64, limit: f64) -> RGBColor {
        let ratio = if limit > 0.0 {
            (value / limit).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let place = (ratio + 1.0) / 2.0 * (self.diverging.len() - 1) as f64;
        let below = (place.floor() as usize).min(self.diverging.len() - 2);
        mix(self.diverging[below], self.diverging[below + 1], place - below as f64)
    }

    /// Color for text on a cell of color `cell`: the one of the two that contrasts more.
    pub fn text_on(&self, cell: RGBColor) -> RGBColor {
        let (dark, light) = (self.text_on_light, self.text_on_dark);
        if contrast(light, cell) > contrast(dark, cell) {
            light
        } else {
            dark
        }
    }
}

/// Contrast ratio of two colors, 1 to 21, as WCAG 2.2 defines it.
pub fn contrast(one: RGBColor, other: RGBColor) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of an sRGB color, 0 to 1.
fn luminance(color: RGBColor) -> f64 {
    let linear = |channel: u8| match f64::from(channel) / 255.0 {
        dark if dark <= 0.04045 => dark / 12.92,
        value => ((value + 0.055) / 1.055).powf(2.4),
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

impl Default for Theme {
    fn default() -> Self {
        Self::light()
    }
}

/// `part` of the way from `from` to `to`.
pub fn mix(from: RGBColor, to: RGBColor, part: f64) -> RGBColor {
    let channel = |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(channel(from.0, to.0), channel(from.1, to.1), channel(from.2, to.2))
}
