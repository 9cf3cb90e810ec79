//! A plot of any kind, and its laid-out form with drawing and targets.
//!
//! A plot is a type with [`Drawable`]; laid out for a size and a theme it is a type with [`LaidOut`]. All other code
//! uses the enums of both, [`Plot`] and [`Scene`]. A scene is made once for a plot, a size and a theme; looking up a
//! target only reads it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;

use super::pen::Pen;
use super::strokes::{Stroke, draw_strokes};
use super::switches::Switches;
use super::{CellRange, DrawOptions, Hover, Pin, Rect, Step, Target};
use crate::error::Result;
use crate::names::SeriesId;

/// Width and height of exported plots, in CSS pixels, unless a plot needs more.
pub const SVG_SIZE: (u32, u32) = (1000, 600);
/// Narrower than this, in CSS pixels, a plot is made for a phone.
pub const NARROW: f64 = 560.0;

/// The part of a plot that is shown; None for all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Zoom {
    /// A range of values.
    Values(Option<(f64, f64)>),
    /// Rows and columns, by index in the result's heatmap.
    Cells(Option<CellRange>),
}

/// Equality of values whose type is not known.
pub trait DynEq: Any {
    /// Whether `other` is of the same type, and equal.
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + Any> DynEq for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }
}

/// What there is to draw: a kind of plot.
pub trait Drawable: DynEq + Send + Sync {
    /// The plot laid out on `width` x `height` CSS pixels, as it is drawn with `options`.
    fn lay_out(self: Arc<Self>, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut>;

    /// What stands above it.
    fn title(&self) -> &str;

    /// Height in CSS pixels that suits `width`.
    fn height(&self, width: f64) -> f64 {
        if width < NARROW {
            360.0
        } else {
            (width * 0.48).clamp(380.0, 440.0).round()
        }
    }

    /// Width and height of an exported picture, in CSS pixels.
    fn picture_size(&self) -> (u32, u32) {
        SVG_SIZE
    }

    /// The same plot with every series of its legend, and which of them it shows itself. None for a plot without a legend.
    fn opened(&self) -> Option<(Plot, Vec<bool>)> {
        None
    }
}

/// A plot and where its parts stand. What is not given here is as for a plot that is only looked at.
pub trait LaidOut: DynEq + Send + Sync {
    /// Draws the plot upon the background.
    fn draw(&self, pen: &mut Pen<'_>);

    /// The part at `point`.
    fn target_at(&self, _point: (f64, f64)) -> Option<Target> {
        None
    }

    /// What is to be said about `target`. None when the plot has no such thing.
    fn hover(&self, _target: Target) -> Option<Hover> {
        None
    }

    /// What keeps `target`, which is there.
    fn pin(&self, target: Target) -> Option<Pin> {
        let first = self.hover(target)?.lines.into_iter().next()?;
        Some(Pin::Part(target, first))
    }

    /// What is to be said about what is kept; its mark is empty where that is outside the part that is shown. None when it is gone.
    fn pinned(&self, pin: &Pin) -> Option<Hover> {
        let Pin::Part(target, first) = pin else { return None };
        self.hover(*target).filter(|hover| hover.lines.first() == Some(first))
    }

    /// Where a key leads from `from`, which is there; from nowhere, to the first part or the last.
    fn step(&self, _from: Option<Target>, _step: Step) -> Option<Target> {
        None
    }

    /// The series at `point`.
    fn series_at(&self, _point: (f64, f64)) -> Option<&SeriesId> {
        None
    }

    /// The series that `target` belongs to.
    fn series_of(&self, _target: Target) -> Option<&SeriesId> {
        None
    }

    /// What a drag from one point to another selects: the area, and what would be shown.
    fn select(&self, _from: (f64, f64), _to: (f64, f64)) -> Option<(Rect, Zoom)> {
        None
    }

    /// What is shown after zooming around `target` (or the middle), to `factor` times the length: 0.5 is closer.
    fn zoomed(&self, _target: Option<Target>, _factor: f64) -> Option<Zoom> {
        None
    }

    /// What is shown after what is at `from` has been moved to `to`. None where all is shown, and nothing can be moved.
    fn moved(&self, _from: (f64, f64), _to: (f64, f64)) -> Option<Zoom> {
        None
    }

    /// The part that is picked, whose values stay below the plot.
    fn picked(&self) -> Option<Target> {
        None
    }

    /// What showing and hiding its series changes, where all are shown: the axes that there are then are drawn, each as a part of its
    /// own. None for a plot without a legend.
    fn switches(&self, _pen: &mut Pen<'_>) -> Option<Switches> {
        None
    }

    /// The series that each line of what is said about `target` is about, by its number, and whether it has something there; empty
    /// where lines are of no series.
    fn series_of_lines(&self, _target: Target) -> Vec<Option<(usize, bool)>> {
        Vec::new()
    }

    /// Draws what lights up `series` over the plot's own strokes: a veil over everything, and that series again. None when
    /// the plot does not show the series.
    fn highlight(&self, _pen: &mut Pen<'_>, _series: &SeriesId) -> Option<()> {
        None
    }
}

/// A plot with its layout, which most kinds are when they are laid out.
#[derive(Debug, PartialEq)]
pub struct PlotWithLayout<P, L> {
    /// The plot.
    pub plot: Arc<P>,
    /// Where its parts stand.
    pub layout: L,
}

/// A plot of any kind.
#[derive(Clone)]
pub struct Plot(Arc<dyn Drawable>);

// The title alone: what the page never prints shall not be in its code.
impl fmt::Debug for Plot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plot").field(&self.title()).finish()
    }
}

impl PartialEq for Plot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (*self.0).is_same(&*other.0)
    }
}

impl<P: Drawable> From<P> for Plot {
    fn from(plot: P) -> Self {
        Self(Arc::new(plot))
    }
}

impl Plot {
    /// What stands above it.
    pub fn title(&self) -> &str {
        self.0.title()
    }

    /// Height in CSS pixels that suits `width`.
    pub fn height(&self, width: f64) -> f64 {
        self.0.height(width)
    }

    /// Width and height of an exported picture, in CSS pixels.
    pub fn picture_size(&self) -> (u32, u32) {
        self.0.picture_size()
    }

    /// The plot with every series of its legend, and which of them this one shows. None for a plot without a legend.
    pub(super) fn opened(&self) -> Option<(Self, Vec<bool>)> {
        self.0.opened()
    }

    /// The plot laid out on `width` x `height` CSS pixels, as it is drawn with `options`.
    pub(super) fn lay_out(&self, width: f64, height: f64, options: &DrawOptions) -> Box<dyn LaidOut> {
        self.0.clone().lay_out(width, height, options)
    }

    /// The plot over the whole of an area of `size` (width and height in device pixels), the background first.
    pub fn strokes(&self, size: (u32, u32), options: &DrawOptions) -> Vec<Stroke> {
        let mut pen = Pen::new(size, options);
        let (width, height) = pen.size();
        pen.background();
        self.0.clone().lay_out(width, height, options).draw(&mut pen);
        pen.strokes()
    }

    /// Draws the plot over the whole of `area`, which is in device pixels.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the backend fails.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, options: &DrawOptions) -> Result<()> {
        draw_strokes(&self.strokes(area.dim_in_pixel(), options), area)
    }
}

/// A plot of any kind, laid out; see the module.
pub struct Scene {
    plot: Plot,
    laid: Box<dyn LaidOut>,
    /// How it is drawn: colors are not part of how it is laid out.
    options: DrawOptions,
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scene").field(&self.plot).finish()
    }
}

impl PartialEq for Scene {
    fn eq(&self, other: &Self) -> bool {
        // Which plot it is, is part of how it is laid out.
        (*self.laid).is_same(&*other.laid) && self.options == other.options
    }
}

impl Scene {
    /// Lays out `plot` on `width` x `height` CSS pixels, as it is drawn with `options`.
    pub fn new(plot: Plot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let laid = plot.0.clone().lay_out(width, height, options);
        Self {
            plot,
            laid,
            options: options.clone(),
        }
    }

    /// The plot.
    pub fn plot(&self) -> &Plot {
        &self.plot
    }

    /// The part at `point`.
    pub fn target_at(&self, point: (f64, f64)) -> Option<Target> {
        self.laid.target_at(point)
    }

    /// What is to be said about `target`. None when the plot has no such thing.
    pub fn hover(&self, target: Target) -> Option<Hover> {
        self.laid.hover(target)
    }

    /// What keeps `target`. None when the plot has no such thing.
    pub fn pin(&self, target: Target) -> Option<Pin> {
        self.laid.pin(target)
    }

    /// What is to be said about what is kept; its mark is empty where that is outside the part that is shown. None when it is gone.
    pub fn pinned(&self, pin: &Pin) -> Option<Hover> {
        self.laid.pinned(pin)
    }

    /// The label of the series at `point`: the bar or box that is there.
    pub fn series_at(&self, point: (f64, f64)) -> Option<&SeriesId> {
        self.laid.series_at(point)
    }

    /// The label of the series whose box `target` is.
    pub fn series_of(&self, target: Target) -> Option<&SeriesId> {
        self.laid.series_of(target)
    }

    /// Where a key leads from `from`; from nowhere, to the first part or the last.
    pub fn step(&self, from: Option<Target>, step: Step) -> Option<Target> {
        // What no longer exists is nowhere.
        let from = from.filter(|target| self.hover(*target).is_some());
        self.laid.step(from, step)
    }

    /// What a drag from one point to another selects: the area, and what would be shown.
    pub fn select(&self, from: (f64, f64), to: (f64, f64)) -> Option<(Rect, Zoom)> {
        self.laid.select(from, to)
    }

    /// What is shown after zooming around `target` (or the middle), to `factor` times the length: 0.5 is closer.
    pub fn zoomed(&self, target: Option<Target>, factor: f64) -> Option<Zoom> {
        self.laid.zoomed(target, factor)
    }

    /// What is shown after what is at `from` has been moved to `to`. None where all is shown.
    pub fn moved(&self, from: (f64, f64), to: (f64, f64)) -> Option<Zoom> {
        self.laid.moved(from, to)
    }

    /// The part that is picked, whose values stay below the plot.
    pub fn picked(&self) -> Option<Target> {
        self.laid.picked()
    }

    /// What lights up `series` when it is drawn over the plot's own strokes: a veil over everything, and that
    /// series again. `size` as for [`Plot::strokes`]. None when the plot does not show the series.
    pub fn highlight(&self, size: (u32, u32), options: &DrawOptions, series: &SeriesId) -> Option<Vec<Stroke>> {
        let mut pen = Pen::new(size, options);
        self.laid.highlight(&mut pen, series)?;
        Some(pen.strokes())
    }
}
