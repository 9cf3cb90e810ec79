//! The trait that a kind of figure implements.

use super::keys::Query;
use super::view::View;
use crate::error::Result;
use crate::export::{Script, Table};
use crate::names::{FigureId, FigureName, HistogramId};
use crate::plot::{Plot, Theme};
use crate::result::ResultFile;

/// The figure that a method of [`FigureKind`] is asked about: its place, result and view.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The name of the figure's place: one of [`FigureKind::names`].
    pub name: FigureName,
    /// The result that the figure shows.
    pub result: &'a ResultFile,
    /// The view of all figures.
    pub view: &'a View,
}

/// The controls around a plot on the page, in addition to those of every figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// No further controls.
    Plain,
    /// A legend, the controls for bins, axes and order, and the table by kind of prompt.
    Histogram(HistogramId),
    /// The choice of a heatmap, and the values of a cell by prompt.
    Heatmap,
    /// The choice of both series, and the list of prompts.
    Scatter,
}

/// A kind of figure: everything that page, frames, exports, addresses, command line and documents need to know of it.
///
/// The default methods suit a plot without controls or keys, with one figure for each place.
pub trait FigureKind: Sync {
    /// The names of the kind's places on the page, in display order.
    fn names(&self) -> &'static [FigureName];

    /// Whether the result has the data for the figure.
    fn is_in(&self, subject: Subject<'_>) -> bool;

    /// Whether the place stays on the page where the result has no data for it.
    fn stays(&self) -> bool {
        false
    }

    /// The identifier of the figure.
    fn id(&self, name: FigureName, _view: &View) -> FigureId {
        FigureId::only(name)
    }

    /// One view for each figure that the place can show of the result: `of.view` with another choice of the figure.
    fn views(&self, subject: Subject<'_>) -> Vec<View> {
        if self.is_in(subject) {
            vec![subject.view.clone()]
        } else {
            Vec::new()
        }
    }

    /// The heading of the page's part with the figure.
    fn section(&self, name: FigureName) -> &'static str;

    /// The question that the figure answers, as its heading.
    fn heading(&self, name: FigureName) -> &'static str;

    /// An explanation of the figure in a sentence or two.
    fn explanation(&self, name: FigureName, view: &View) -> String;

    /// A short title: "Attention scores with keys fixed".
    fn title(&self, name: FigureName) -> String;

    /// A text alternative for readers who do not see the figure.
    fn summary(&self, subject: Subject<'_>) -> String;

    /// A description of the data in sentences, which is shown below the figure of a run over many prompts. Empty for
    /// most kinds.
    fn description(&self, _of: Subject<'_>) -> Vec<String> {
        Vec::new()
    }

    /// The label of the export button.
    fn exported(&self, name: FigureName) -> &'static str {
        self.heading(name)
    }

    /// The keyboard help.
    fn keys_help(&self) -> &'static str {
        "Arrow keys walk from one part to the next; Home and End go to the first and the last. Enter keeps the values below the \
         plot, Escape lets go."
    }

    /// The further controls around the figure.
    fn controls(&self, _name: FigureName) -> Controls {
        Controls::Plain
    }

    /// The plot.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn plot(&self, subject: Subject<'_>) -> Result<Plot>;

    /// The tables with all of the figure's data, independent of zoom and hidden series.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>>;

    /// Identifier and title of each table.
    fn offered(&self, subject: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        let tables = self.tables(subject).unwrap_or_default();
        tables.iter().map(|table| (table.name, table.name)).collect()
    }

    /// Whether the table `name` is short enough for Markdown.
    fn is_short(&self, _table: &str) -> bool {
        true
    }

    /// The Python script that redraws the figure in the colors of `theme`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script>;

    /// Whether `key` of an address belongs to the view of this kind.
    fn is_key(&self, _key: &str) -> bool {
        false
    }

    /// Whether `key` may occur more than once.
    fn may_repeat(&self, _key: &str) -> bool {
        false
    }

    /// Sets `key`, which belongs to this kind, to `value` in the view.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] where it is not what it should be.
    fn take(&self, _view: &mut View, _key: &str, _value: &str) -> Result<()> {
        Ok(())
    }

    /// Appends the keys whose values are not the default.
    fn write(&self, _view: &View, _query: &mut Query) {}

    /// Removes values that [`Self::take`] would reject, and rounds numbers to what it would read.
    fn clean(&self, _view: &mut View) {}

    /// Whether the change from one view to another is a history entry, which "back" undoes.
    fn is_step(&self, _from: &View, _to: &View) -> bool {
        false
    }
}
