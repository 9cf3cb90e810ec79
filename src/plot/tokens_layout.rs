//! The layout of a [`TokensPlot`].

use super::scene::NARROW;
use super::title::Title;
use super::{DrawOptions, Rect, Theme, TokensPlot, text};

/// Edge on both sides, where the title begins, too.
const EDGE: f64 = 8.0;
/// Room between tokens of a line.
const SPACE: f64 = 5.0;
/// Room between the text of a token and its chip's edges, both sides together.
const PADDING: f64 = 14.0;
/// Narrowest chip.
const NARROWEST: f64 = 26.0;
/// Height of a chip, in sizes of its type, and what is added for its bar.
const CHIP: (f64, f64) = (1.6, 17.0);
/// Room above each line, for what is written above a chip.
const ABOVE: f64 = 17.0;
/// Room below the last line.
const BELOW: f64 = 6.0;
/// Highest arc.
const HIGHEST_ARC: f64 = 56.0;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    /// Size of the type on chips, and of what is written above them.
    pub font: f64,
    pub label_font: f64,
    /// The chip of each token.
    pub chips: Vec<Rect>,
    /// What is written on each.
    pub texts: Vec<String>,
    /// What is written above chips, and the middle of it.
    pub labels: Vec<(String, (f64, f64))>,
    /// The tokens that have something written above them.
    labeled: [usize; 2],
    /// Whether all tokens stand in one line, with arcs above it.
    pub has_arcs: bool,
    /// Height of the widest arc, and how wide it is.
    arc: (f64, f64),
}

/// Chips in lines, from `(0, 0)` on.
struct Lines {
    font: f64,
    chips: Vec<Rect>,
    texts: Vec<String>,
    count: usize,
    chip: f64,
}

impl Lines {
    fn new(plot: &TokensPlot, width: f64, theme: &Theme) -> Self {
        let font = theme.font_size * if width < NARROW { 1.0 } else { 1.1 };
        let chip = (CHIP.0 * font + CHIP.1).round();
        let room = (width - 2.0 * EDGE).max(NARROWEST);
        let texts: Vec<String> = plot
            .tokens
            .iter()
            .map(|token| text::cut(&token.text, font, room - PADDING))
            .collect();
        let (mut left, mut line) = (0.0, 0);
        let mut chips = Vec::with_capacity(texts.len());
        for text in &texts {
            let wide = (text::width(text, font) + PADDING).clamp(NARROWEST, room);
            if left > 0.0 && left + wide > room {
                (left, line) = (0.0, line + 1);
            }
            let top = ABOVE + f64::from(line) * (chip + ABOVE);
            chips.push(Rect {
                left: EDGE + left,
                top,
                right: EDGE + left + wide,
                bottom: top + chip,
            });
            left += wide + SPACE;
        }
        Self {
            font,
            chips,
            texts,
            count: line as usize + 1,
            chip,
        }
    }

    fn height(&self) -> f64 {
        self.count as f64 * (self.chip + ABOVE) + BELOW
    }

    /// Width of the widest arc, if there is one: where all tokens stand in one line.
    fn widest_arc(&self, plot: &TokensPlot) -> Option<f64> {
        let middle = |index: usize| self.chips.get(index).map(|chip| chip.center().0);
        let dest = middle(plot.dest).filter(|_| self.count == 1)?;
        let farthest = plot.looked_at().into_iter().map(|(index, _)| index).min()?;
        Some(dest - middle(farthest)?)
    }
}

/// Height of an arc that is so wide.
fn arc_height(wide: f64) -> f64 {
    (8.0 + 0.08 * wide).min(HIGHEST_ARC)
}

/// Height of `plot` in CSS pixels, its title left out.
pub(super) fn suitable_height(plot: &TokensPlot, width: f64) -> f64 {
    let lines = Lines::new(plot, width, &Theme::light());
    let arcs = lines.widest_arc(plot).map_or(0.0, |wide| arc_height(wide) + 4.0);
    (8.0 + arcs + lines.height()).round()
}

impl Layout {
    pub fn new(plot: &TokensPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        // A line of text is no plot: its title is not larger than on a phone.
        let title = Title::new(&plot.title, width, true, options);
        let lines = Lines::new(plot, width, &options.theme);
        let widest_arc = lines.widest_arc(plot);
        // Where there is less room than they need arcs are flatter.
        let spare = height - title.bottom() - lines.height();
        let arc = widest_arc.map_or(0.0, |wide| arc_height(wide).min(spare - 4.0).max(0.0));
        let top = title.bottom() + if arc > 0.0 { arc + 4.0 } else { 0.0 };
        let chips: Vec<Rect> = lines
            .chips
            .into_iter()
            .map(|chip| Rect {
                top: chip.top + top,
                bottom: chip.bottom + top,
                ..chip
            })
            .collect();
        let label_font = 0.85 * options.theme.font_size;
        let label = |(text, index): (&String, usize)| {
            let chip = chips.get(index)?;
            let half = text::width(text, label_font) / 2.0 + 1.0;
            let x = chip.center().0.min(width - half).max(half);
            Some((text.clone(), (x, chip.top - ABOVE / 2.0 + 1.0)))
        };
        let labeled = [plot.dest, plot.src];
        // Of a token that looks at itself, one thing can be said.
        let count = if plot.dest == plot.src { 1 } else { 2 };
        let labels = plot.labels.iter().zip(labeled).take(count).filter_map(label).collect();
        Self {
            title,
            font: lines.font,
            label_font,
            texts: lines.texts,
            labels,
            labeled,
            has_arcs: arc > 0.0,
            arc: (arc, widest_arc.unwrap_or_default()),
            chips,
        }
    }

    /// Where arcs meet a token: above its chip, or above what is written there.
    pub fn above(&self, index: usize) -> Option<(f64, f64)> {
        let chip = self.chips.get(index)?;
        let gap = if self.labeled.contains(&index) {
            ABOVE - 2.0
        } else {
            2.0
        };
        Some((chip.center().0, chip.top - gap))
    }

    /// Height of an arc that is so wide, above what is written above chips.
    pub fn arc_height(&self, wide: f64) -> f64 {
        let (height, widest) = self.arc;
        let part = arc_height(wide) / arc_height(widest);
        (height * part).max(4.0)
    }

    /// The token that is nearest to `index` in the line below it, or above it; itself where there is none.
    pub fn beside(&self, index: usize, below: bool) -> usize {
        let Some(here) = self.chips.get(index) else {
            return index;
        };
        let tops = self.chips.iter().map(|chip| chip.top);
        let line = if below {
            tops.filter(|top| *top > here.top).fold(f64::INFINITY, f64::min)
        } else {
            tops.filter(|top| *top < here.top).fold(f64::NEG_INFINITY, f64::max)
        };
        let away = |chip: &Rect| (chip.center().0 - here.center().0).abs();
        let in_line = self.chips.iter().enumerate().filter(|(_, chip)| chip.top == line);
        let nearest = in_line.min_by(|left, right| away(left.1).total_cmp(&away(right.1)));
        nearest.map_or(index, |(index, _)| index)
    }
}
