//! What is asked of a kind of figure.

use super::keys::Query;
use super::view::View;
use crate::error::Result;
use crate::export::{Script, Table};
use crate::names::{FigureId, FigureName, HistogramId};
use crate::plot::{Plot, Theme};
use crate::result::ResultFile;

/// Which figure is meant: its place, and what is shown there.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The name of its place: one of [`FigureKind::names`].
    pub name: FigureName,
    /// The result that it is a figure of.
    pub result: &'a ResultFile,
    /// How figures are shown.
    pub view: &'a View,
}

/// What stands on the page around a plot, besides what every figure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// Nothing.
    Plain,
    /// A legend, the controls of bins, axes and order, and the table by kind of prompt.
    Histogram(HistogramId),
    /// The choice of a heatmap, and the prompts of a cell.
    Heatmap,
    /// The choice of both series, and the list of prompts.
    Scatter,
}

/// A kind of figure: all that page, frames, exports, addresses, command line and documents know of it.
///
/// What is not given is as for a plot that is only looked at, with one figure for each place.
pub trait FigureKind: Sync {
    /// The names of its places on the page, in the order in which they are shown.
    fn names(&self) -> &'static [FigureName];

    /// Whether a result has the figure.
    fn is_in(&self, of: Subject<'_>) -> bool;

    /// Whether its place is on the page where a result does not have the figure, too.
    fn stays(&self) -> bool {
        false
    }

    /// Which figure it is.
    fn id(&self, name: FigureName, _view: &View) -> FigureId {
        FigureId::only(name)
    }

    /// A view for each figure that a place can show of a result: `of.view`, but for which one it is.
    fn views(&self, of: Subject<'_>) -> Vec<View> {
        if self.is_in(of) {
            vec![of.view.clone()]
        } else {
            Vec::new()
        }
    }

    /// What the part of the page is called in which it stands.
    fn section(&self, name: FigureName) -> &'static str;

    /// The question that it answers.
    fn heading(&self, name: FigureName) -> &'static str;

    /// What it shows, in a sentence or two.
    fn explanation(&self, name: FigureName, view: &View) -> String;

    /// What it shows, in a few words: "Attention scores with keys fixed".
    fn title(&self, name: FigureName) -> String;

    /// What is seen in it, for those who do not see it.
    fn summary(&self, of: Subject<'_>) -> String;

    /// What there is to see in it, in sentences that stand below it where a run over many prompts is shown. None of most.
    fn description(&self, _of: Subject<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What the button of its exports says that they are of.
    fn exported(&self, name: FigureName) -> &'static str {
        self.heading(name)
    }

    /// Which keys it knows.
    fn keys_help(&self) -> &'static str {
        "Arrow keys walk from one part to the next; Home and End go to the first and the last. Enter keeps the values below the \
         plot, Escape lets go."
    }

    /// What else stands around it on the page.
    fn controls(&self, _name: FigureName) -> Controls {
        Controls::Plain
    }

    /// What there is to draw.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn plot(&self, of: Subject<'_>) -> Result<Plot>;

    /// The tables behind it, all of the data whatever is zoomed to or hidden.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn tables(&self, of: Subject<'_>) -> Result<Vec<Table>>;

    /// The names of its tables, and what each is called where it is offered.
    fn offered(&self, of: Subject<'_>) -> Vec<(&'static str, &'static str)> {
        let tables = self.tables(of).unwrap_or_default();
        tables.iter().map(|table| (table.name, table.name)).collect()
    }

    /// Whether the table `name` is short enough for Markdown.
    fn is_short(&self, _table: &str) -> bool {
        true
    }

    /// The Python script that redraws it in the colors of `theme`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Plot`] when the result does not have the figure.
    fn script(&self, of: Subject<'_>, theme: &Theme) -> Result<Script>;

    /// Whether `key` of an address says how its figures are shown.
    fn is_key(&self, _key: &str) -> bool {
        false
    }

    /// Whether `key` may come more than once.
    fn may_repeat(&self, _key: &str) -> bool {
        false
    }

    /// Takes over `value` of `key`, which is one of its keys.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] where it is not what it should be.
    fn take(&self, _view: &mut View, _key: &str, _value: &str) -> Result<()> {
        Ok(())
    }

    /// Appends what is not as it is at first.
    fn write(&self, _view: &View, _query: &mut Query) {}

    /// Takes out what [`Self::take`] would refuse, and makes numbers as it would read them.
    fn clean(&self, _view: &mut View) {}

    /// Whether the way from one view to another is a step that "back" should undo.
    fn is_step(&self, _from: &View, _to: &View) -> bool {
        false
    }
}
