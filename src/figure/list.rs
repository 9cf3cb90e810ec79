//! The list of kinds of figures, and the figures of a result.

use std::fmt;
use std::str::FromStr;

use super::changes::Changes;
use super::heatmap::Heatmaps;
use super::histogram::Histograms;
use super::kind::{Controls, FigureKind, Subject};
use super::run::{CopySuppression, RecurringDirections, SourceValues};
use super::scatter::Scatter;
use super::sentence::{
    Both, Causal, ComponentEffects, DirectionSides, Dots, Effects, HeadDirections, HeadWrites, Heads, Interventions,
    Layer, Lens, Pattern, Tokens, Writers,
};
use super::view::View;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Around, Table, fragment, markdown_text, page, plain, python, result_stem};
use crate::names::{FigureId, FigureName};
use crate::plot::{Plot, Theme};
use crate::quantities::counted;
use crate::result::ResultFile;

/// Every kind of figure, in display order.
pub const KINDS: [&dyn FigureKind; 22] = [
    &Histograms,
    &Heatmaps,
    &SourceValues,
    &CopySuppression,
    &RecurringDirections,
    &Scatter,
    &Changes,
    &Tokens,
    &Heads,
    &Pattern,
    &Layer,
    &Writers,
    &Both,
    &Effects,
    &Dots,
    &ComponentEffects,
    &HeadWrites,
    &Lens,
    &HeadDirections,
    &DirectionSides,
    &Interventions,
    &Causal,
];

/// A figure's place on the page: of one histogram, or of the chosen heatmap.
#[derive(Clone, Copy)]
pub struct FigurePlace {
    kind: &'static dyn FigureKind,
    name: FigureName,
}

impl FigurePlace {
    /// All places, in display order.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_kind = |kind: &'static dyn FigureKind| kind.names().iter().map(move |&name| Self { kind, name });
        KINDS.into_iter().flat_map(of_kind)
    }

    /// The place with the name `name`; None where no kind has it.
    pub fn of(name: FigureName) -> Option<Self> {
        Self::all().find(|place| place.name == name)
    }

    /// Its text, in ids and in the addresses of embedded figures.
    pub const fn as_str(self) -> &'static str {
        self.name.as_str()
    }

    /// Whether the place is on a page that shows `result`, or nothing yet.
    pub fn is_on_page(self, result: Option<&ResultFile>, view: &View) -> bool {
        self.kind.stays() || result.is_some_and(|result| self.kind.is_in(self.subject(result, view)))
    }

    /// The further controls around the figure.
    pub fn controls(self) -> Controls {
        self.kind.controls(self.name)
    }

    /// The heading of the page's part with the figure.
    pub fn section(self) -> &'static str {
        self.kind.section(self.name)
    }

    /// The question that the figure answers.
    pub fn heading(self) -> &'static str {
        self.kind.heading(self.name)
    }

    /// An explanation of the figure in a sentence or two.
    pub fn explanation(self, view: &View) -> String {
        self.kind.explanation(self.name, view)
    }

    /// A short title of the figure.
    pub fn title(self) -> String {
        self.kind.title(self.name)
    }

    /// A description of the data of the figure of `result`, in sentences.
    pub fn description(self, result: &ResultFile, view: &View) -> Vec<String> {
        self.kind.description(self.subject(result, view))
    }

    /// The label of the figure's export button.
    pub fn exported(self) -> &'static str {
        self.kind.exported(self.name)
    }

    /// The keyboard help of the figure.
    pub fn keys_help(self) -> &'static str {
        self.kind.keys_help()
    }

    fn subject<'a>(self, result: &'a ResultFile, view: &'a View) -> Subject<'a> {
        Subject {
            name: self.name,
            result,
            view,
        }
    }
}

impl PartialEq for FigurePlace {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for FigurePlace {}

impl fmt::Debug for FigurePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl fmt::Display for FigurePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FigurePlace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::all().find(|place| place.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::as_str).collect();
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a figure")).expected(names.join(", "))
        })
    }
}

/// A figure: its place, and its view including the picked prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    place: FigurePlace,
    view: View,
}

impl Figure {
    /// The figure at `place` as `view` shows it.
    pub fn at(place: FigurePlace, view: &View) -> Self {
        let view = view.clone();
        Self { place, view }
    }

    /// All figures of `result` with `view`, including every choice of places that show one of several figures.
    pub fn all(result: &ResultFile, view: &View) -> Vec<Self> {
        let at = |place: FigurePlace| {
            let views = place.kind.views(place.subject(result, view));
            views.into_iter().map(move |view| Self { place, view })
        };
        FigurePlace::all().flat_map(at).collect()
    }

    /// The figure of `result` with the identifier `name` (see [`Figure::id`]) or the name of a heatmap, with `view`.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] with the names that there are.
    pub fn named(result: &ResultFile, name: &str, view: &View) -> Result<Self> {
        let mut all = Self::all(result, view);
        match all.iter().position(|figure| figure.id().is_called(name)) {
            Some(found) => Ok(all.swap_remove(found)),
            None => {
                let names: Vec<String> = all.iter().map(|figure| figure.id().to_string()).collect();
                let cause = format!("the result has no figure \"{name}\"");
                Err(Error::new(ErrorKind::Plot, cause).expected(names.join(", ")))
            }
        }
    }

    /// Its identifier.
    pub fn id(&self) -> FigureId {
        self.place.kind.id(self.place.name, &self.view)
    }

    /// Whether `result` has the data for it.
    pub fn is_in(&self, result: &ResultFile) -> bool {
        self.place.kind.is_in(self.of(result))
    }

    /// Its name in file names.
    pub fn stem(&self) -> String {
        plain(&self.id().to_string(), |c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
        })
    }

    /// A text alternative for readers who do not see the figure.
    pub fn summary(&self, result: &ResultFile) -> String {
        self.place.kind.summary(self.of(result))
    }

    /// The plot of the figure.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn plot(&self, result: &ResultFile) -> Result<Plot> {
        self.place.kind.plot(self.of(result))
    }

    /// The tables with all of the figure's data, independent of zoom and hidden series.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn tables(&self, result: &ResultFile) -> Result<Vec<Table>> {
        self.place.kind.tables(self.of(result))
    }

    /// Identifier and title of each table.
    pub fn offered(&self, result: &ResultFile) -> Vec<(&'static str, &'static str)> {
        self.place.kind.offered(self.of(result))
    }

    /// The figure's shorter tables in Markdown, under its title.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn markdown(&self, result: &ResultFile) -> Result<String> {
        let tables = self.tables(result)?;
        let title = tables
            .first()
            .map(|table| format!("**{}**\n", markdown_text(&table.title)));
        let short = tables.iter().filter(|table| self.place.kind.is_short(table.name));
        let texts = short.map(Table::markdown);
        Ok(title.into_iter().chain(texts).collect::<Vec<_>>().join("\n"))
    }

    /// The Python script that redraws the figure in the colors of `theme`. It reads the result file `file` in the
    /// working directory.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn script(&self, result: &ResultFile, file: &str, theme: &Theme) -> Result<String> {
        let picture = format!("{}-{}.png", result_stem(result), self.stem());
        let script = self.place.kind.script(self.of(result), theme)?;
        Ok(python(file, &picture, &script))
    }

    /// The figure as an HTML fragment (`<div>` to `</div>`): values on hover, tap and keys, a legend, light and dark
    /// theme. It is self-contained, may occur in a page any number of times, and can be displayed by a notebook.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` does not have it.
    pub fn fragment(&self, result: &ResultFile) -> Result<String> {
        let around = Around {
            summary: self.summary(result),
            source: source(result),
        };
        fragment(&self.plot(result)?, &around)
    }

    fn of<'a>(&'a self, result: &'a ResultFile) -> Subject<'a> {
        self.place.subject(result, &self.view)
    }
}

/// A self-contained web page with `figures` of `result`, which opens without a server and sends no requests.
///
/// # Errors
/// [`ErrorKind::Plot`] when `result` does not have one of them.
///
/// ```
/// use keyside::figure::{Figure, View, web_page};
/// use keyside::result::ResultFile;
///
/// let result = ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json"))?;
/// let figure = Figure::named(&result, "heatmap_key", &View::default())?;
/// let page = web_page(&result, &[figure])?;
/// assert!(page.starts_with("<!doctype html>") && page.contains("head 9.9"));
/// # Ok::<(), keyside::Error>(())
/// ```
pub fn web_page(result: &ResultFile, figures: &[Figure]) -> Result<String> {
    let fragments: Result<Vec<String>> = figures.iter().map(|figure| figure.fragment(result)).collect();
    Ok(page(
        &format!("{}, head {}", result.model.name, result.head_name()),
        &fragments?,
    ))
}

/// The source of the figures of `result`, in one line.
fn source(result: &ResultFile) -> String {
    let mut parts = vec![
        format!("keyside {}", env!("CARGO_PKG_VERSION")),
        result.model.name.clone(),
        format!("head {}", result.head_name()),
    ];
    match result.prompt_count() {
        0 => {}
        count => parts.push(counted(count, "prompt", "prompts")),
    }
    parts.join(" \u{b7} ")
}
