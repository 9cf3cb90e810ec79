//! Drawing a [`TokensPlot`], and its pointer and keyboard targets.

use std::sync::Arc;

use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::marks::{TokenMark, draw_arc, draw_token};
use super::pen::Pen;
use super::scene::{Drawable, LaidOut, PlotWithLayout};
use super::tokens_layout::{Layout, suitable_height};
use super::{DrawOptions, Hover, Rect, Step, Target, TokensPlot};

/// Width of the arc of a share of 1, and what every arc has besides.
const ARC_WIDTH: (f64, f64) = (7.0, 1.0);
/// Opacity of an arc besides its share.
const ARC_OPACITY: f64 = 0.25;

impl Drawable for TokensPlot {
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        let layout = Layout::new(&self, width, height, options);
        Box::new(PlotWithLayout { plot: self, layout })
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        suitable_height(self, width)
    }

    fn picture_size(&self) -> (u32, u32) {
        let (width, _) = super::SVG_SIZE;
        // Room for a title.
        (width, self.height(f64::from(width)) as u32 + 40)
    }
}

impl LaidOut for PlotWithLayout<TokensPlot, Layout> {
    fn draw(&self, pen: &mut Pen<'_>) {
        let (plot, layout, theme) = (&self.plot, &self.layout, pen.theme());
        layout.title.draw(pen);
        if layout.has_arcs {
            draw_arcs(plot, pen, layout);
        }
        for (index, token) in plot.tokens.iter().enumerate() {
            let mark = TokenMark {
                text: &layout.texts[index],
                size: layout.font,
                share: (index <= plot.dest).then_some(f64::from(token.attention)),
                frame: match index {
                    _ if index == plot.dest => Some(theme.query),
                    _ if index == plot.src => Some(theme.key),
                    _ => None,
                },
            };
            draw_token(pen, layout.chips[index], mark);
        }
        let colors = [theme.query, theme.key];
        for ((label, at), color) in layout.labels.iter().zip(colors) {
            pen.write(label, *at, layout.label_font, color.to_rgba(), HPos::Center);
        }
    }

    fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        let chips = &self.layout.chips;
        chips.iter().position(|chip| chip.contains(point)).map(Target::Token)
    }

    fn hover(&self, target: Target) -> Option<Hover> {
        let Target::Token(index) = target else { return None };
        let mark = *self.layout.chips.get(index)?;
        let (x, y) = mark.center();
        let area = Rect {
            left: x,
            top: y,
            right: x,
            bottom: y,
        };
        let lines = self.plot.tokens.get(index)?.lines.clone();
        Some(Hover::new(target, mark, area, lines))
    }

    /// Along the sentence, and to the nearest token of the line above or below; first to the one that is asked about.
    fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        let last = self.plot.tokens.len().checked_sub(1)?;
        let index = match (from, step) {
            (_, Step::First) => 0,
            (_, Step::Last) => last,
            (Some(Target::Token(index)), Step::Left) => index.saturating_sub(1),
            (Some(Target::Token(index)), Step::Right) => (index + 1).min(last),
            (Some(Target::Token(index)), Step::Up) => self.layout.beside(index, false),
            (Some(Target::Token(index)), Step::Down) => self.layout.beside(index, true),
            _ => self.plot.src.min(last),
        };
        Some(Target::Token(index))
    }
}

fn draw_arcs(plot: &TokensPlot, pen: &mut Pen<'_>, layout: &Layout) {
    let color = pen.theme().key;
    let Some(from) = layout.above(plot.dest) else { return };
    for (index, share) in plot.looked_at() {
        let (Some(to), share) = (layout.above(index), f64::from(share).min(1.0)) else {
            continue;
        };
        let look = (
            color.mix((ARC_OPACITY + share).min(1.0)),
            ARC_WIDTH.0 * share + ARC_WIDTH.1,
        );
        draw_arc(pen, from, to, layout.arc_height((from.0 - to.0).abs()), look);
    }
}
