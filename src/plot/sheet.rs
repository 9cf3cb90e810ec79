//! A plot with a fixed layout for exported pages: its strokes in both themes, part by part, and all targets.

use std::collections::BTreeMap;

use plotters::style::RGBAColor;

use super::pen::{Pen, StrokeGroup};
use super::scene::{LaidOut, NARROW};
use super::strokes::Stroke;
use super::switches::Switches;
use super::text::visible;
use super::{DrawOptions, Hover, Plot, Step, Target, Theme};
use crate::error::{Error, ErrorKind, Result};

/// Units per CSS pixel of all places in a [`Sheet`]: whole numbers, finer than a pixel.
pub const SHEET_UNITS: u32 = 8;

/// Most things that can be pointed at; of a plot with more none can.
const MAX_TARGETS: usize = 20_000;

/// What keys ask for, in the order of [`SheetTarget::steps`].
pub const STEPS: [Step; 6] = [Step::Left, Step::Right, Step::Up, Step::Down, Step::First, Step::Last];

/// A stroke of the light theme, and its color in the dark one.
pub type ThemedStroke = (Stroke, RGBAColor);

/// A plot laid out once for both themes. Title and legend are not drawn: they are the page's.
#[derive(Clone)]
pub struct Sheet {
    /// What stands above the plot.
    pub title: String,
    /// Width and height in CSS pixels.
    pub size: (u32, u32),
    /// Strokes of the light theme with their colors in the dark one, part by part in the order of drawing. Places are in units.
    pub parts: Vec<(StrokeGroup, Vec<ThemedStroke>)>,
    /// All that can be pointed at. Empty where that would be too much.
    pub targets: Vec<SheetTarget>,
    /// What each of [`STEPS`] leads to from nowhere, by its number among the targets.
    pub first: [Option<usize>; 6],
    /// The series of its legend, and which of them are shown at first.
    pub switches: Option<(Switches, Vec<bool>)>,
}

/// Something that can be pointed at.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetTarget {
    /// What it is, where it is and what is said about it; in CSS pixels. The note is the last line.
    pub hover: Hover,
    /// The series that each line is about, by its number, and whether it has something there; empty where lines are of no series.
    pub series: Vec<Option<(usize, bool)>>,
    /// Where each of [`STEPS`] leads, by its number among the targets.
    pub steps: [usize; 6],
}

impl Sheet {
    /// `plot`, `width` CSS pixels wide and as high as suits it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the themes differ in more than colors.
    pub fn of(plot: &Plot, width: u32) -> Result<Self> {
        let width = width.max(NARROW as u32 / 2);
        let height = plot.height(f64::from(width)).max(1.0) as u32;
        let (opened, shown) = plot.opened().unwrap_or_else(|| (plot.clone(), Vec::new()));
        let (light, switches) = drawn(&opened, (width, height), &options(Theme::light()));
        let (dark, _) = drawn(&opened, (width, height), &options(Theme::dark()));
        let laid = opened.lay_out(width.into(), height.into(), &options(Theme::light()));
        let (targets, first) = targets(laid.as_ref());
        Ok(Self {
            title: visible(plot.title()),
            size: (width, height),
            parts: zipped(light, dark)?,
            targets,
            first,
            switches: switches.map(|switches| (switches, shown)),
        })
    }
}

fn options(theme: Theme) -> DrawOptions {
    DrawOptions {
        legend: false,
        title: false,
        ..DrawOptions::canvas(SHEET_UNITS.into(), theme)
    }
}

/// Strokes, part by part.
type Parts = Vec<(StrokeGroup, Vec<Stroke>)>;

fn drawn(plot: &Plot, (width, height): (u32, u32), options: &DrawOptions) -> (Parts, Option<Switches>) {
    let mut pen = Pen::new((width * SHEET_UNITS, height * SHEET_UNITS), options);
    let laid = plot.lay_out(width.into(), height.into(), options);
    laid.draw(&mut pen);
    let switches = laid.switches(&mut pen);
    (pen.parts(), switches)
}

/// Strokes of one theme with the colors of another.
fn zipped(light: Parts, dark: Parts) -> Result<Vec<(StrokeGroup, Vec<ThemedStroke>)>> {
    let same = light.len() == dark.len()
        && light
            .iter()
            .zip(&dark)
            .all(|(light, dark)| light.0 == dark.0 && light.1.len() == dark.1.len());
    if !same {
        return Err(Error::new(ErrorKind::Internal, "a plot has other strokes in the dark"));
    }
    let one = |((part, light), (_, dark)): ((StrokeGroup, Vec<Stroke>), (StrokeGroup, Vec<Stroke>))| {
        let colors = dark.iter().map(Stroke::color);
        (part, light.into_iter().zip(colors).collect())
    };
    Ok(light.into_iter().zip(dark).map(one).collect())
}

/// All targets that keys lead to, in the order in which they are found, and where keys lead from nowhere.
fn targets(laid: &dyn LaidOut) -> (Vec<SheetTarget>, [Option<usize>; 6]) {
    let mut found = Found::default();
    let first = STEPS.map(|step| laid.step(None, step).map(|target| found.number(target)));
    let mut targets = Vec::new();
    while let Some(&target) = found.all.get(targets.len()) {
        let number = targets.len();
        let steps = STEPS.map(|step| laid.step(Some(target), step).map_or(number, |to| found.number(to)));
        // What is led to is there; an empty one keeps the numbers right where it is not.
        let nothing = Hover::new(target, Default::default(), Default::default(), Vec::new());
        let mut hover = laid.hover(target).unwrap_or(nothing);
        hover.lines = hover.texts();
        targets.push(SheetTarget {
            series: laid.series_of_lines(target),
            hover,
            steps,
        });
        if found.all.len() > MAX_TARGETS {
            return (Vec::new(), [None; 6]);
        }
    }
    (targets, first)
}

/// Targets by number.
#[derive(Default)]
struct Found {
    all: Vec<Target>,
    numbers: BTreeMap<(u8, usize, usize), usize>,
}

impl Found {
    fn number(&mut self, target: Target) -> usize {
        let key = match target {
            Target::Bin(index) => (0, index, 0),
            Target::Box(index) => (1, index, 0),
            Target::Cell(row, column) => (2, row, column),
            Target::Dot(index) => (3, index, 0),
            Target::Token(index) => (4, index, 0),
            Target::Pattern(index) => (5, index, 0),
        };
        *self.numbers.entry(key).or_insert_with(|| {
            self.all.push(target);
            self.all.len() - 1
        })
    }
}
