//! The first view of the page: title, question and first figure of the recorded run as plain HTML, made when the page is
//! built. A reader sees it before any code has arrived; it has the page's own classes and words, so that nothing moves
//! when the page takes its place.

use super::address::Tab;
use super::compact_svg::compact;
use super::glossary::{LEAD, Phrase};
use super::session::Origin;
use super::{story, words};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::{Figure, FigurePlace, View};
use crate::names::{FigureName, HistogramId};
use crate::plot::{HistogramPlot, HistogramView, Plot, Series, Theme, bare_svg};
use crate::result::{ResultFile, at_once};

/// The figure that is shown.
const FIGURE: HistogramId = HistogramId::KeysFixedScores;
/// Widths in CSS pixels that the figure is drawn for, and the classes that show one of them (`public/style.css`): in a
/// window of 1280 and one of 390 pixels, the figure's column is as wide as that.
const WIDTHS: [(u32, &str); 2] = [(870, "wide-only"), (334, "narrow-only")];

/// The view of `result`, for the element `first-view` of index.html.
///
/// # Errors
/// [`ErrorKind::Plot`] when drawing fails.
pub fn html(result: &ResultFile) -> Result<String> {
    let name = FigureName::of(FIGURE);
    let place =
        FigurePlace::of(name).ok_or_else(|| Error::new(ErrorKind::Plot, format!("there is no figure {name}")))?;
    let plot = HistogramPlot::of_result(result, FIGURE, &HistogramView::default());
    let legend: String = plot.series.iter().map(legend_entry).collect();
    let legend = format!(
        r#"<div class="legend"><span class="legend-title">{}</span>{legend}</div>"#,
        escaped(&plot.legend_title)
    );
    let caption = caption(place, &plot.title);
    let pictures = pictures(&Plot::from(plot))?;
    Ok(format!(
        r#"<header class="top-bar"><p class="wordmark">keyside</p><nav class="tabs">{tabs}</nav><div class="tools"></div></header>
<section class="masthead" aria-label="What this is about"><h1>{title}</h1>{lead}</section>
<div class="layout"><aside class="panel" aria-label="Controls"><p>The controls are loading…</p></aside><main class="results">
{summary}
<p class="seen">{question}</p>
<h2>{section}</h2>
<figure class="figure">{caption}<div class="toolbar"></div>{legend}
<div class="plot" role="img" aria-label="{label}">{pictures}</div></figure>
</main></div>"#,
        title = words::TITLE,
        tabs = tabs(),
        lead = lead(),
        summary = summary(result),
        question = escaped(&story::question(result, &at_once(result))),
        section = place.section(),
        label = escaped(&Figure::at(place, &View::default()).summary(result)),
    ))
}

/// `text` where HTML is expected, in quotes too.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn tabs() -> String {
    let tab = |tab: Tab| {
        let current = if tab == Tab::default() {
            r#" aria-current="page""#
        } else {
            ""
        };
        format!(r#"<button type="button" disabled{current}>{}</button>"#, tab.label())
    };
    Tab::ALL.map(tab).concat()
}

fn lead() -> String {
    let term = |word: &str| format!(r#"<span class="term">{word}</span>"#);
    let phrase = |phrase| match phrase {
        Phrase::Words(words) => words.into(),
        Phrase::Term { word, .. } => term(word),
        Phrase::Bracketed { word, .. } => format!(r#"<span class="together">({})</span>"#, term(word)),
    };
    format!(r#"<p class="lead">{}</p>"#, LEAD.map(phrase).concat())
}

fn summary(result: &ResultFile) -> String {
    format!(
        r#"<section class="run-summary"><p class="badge">{}</p><p class="model">{}</p><p>{}</p><p class="source">Source</p></section>"#,
        words::origin(&Origin::Recorded),
        escaped(&result.model.name),
        escaped(&words::settings(result)),
    )
}

fn caption(place: FigurePlace, title: &str) -> String {
    format!(
        r#"<figcaption><h3><span class="number">1</span> {}</h3><p>{}</p><p class="plot-title">{}</p></figcaption>"#,
        place.heading(),
        place.explanation(&View::default()),
        escaped(title),
    )
}

fn legend_entry(series: &Series) -> String {
    let [light, dark] = themes().map(|theme| {
        let color = theme.series_color(series.color);
        format!("rgb({} {} {})", color.0, color.1, color.2)
    });
    let hidden = if series.visible { "" } else { " hidden-series" };
    format!(
        r#"<span class="legend-entry{hidden}"><svg class="swatch" aria-hidden="true"><rect width="100%" height="100%" fill="light-dark({light}, {dark})"/></svg><code>{}</code></span>"#,
        escaped(&series.label)
    )
}

/// Light and dark, alike but for their colours.
fn themes() -> [Theme; 2] {
    let light = Theme::light();
    let dark = Theme {
        bar_opacity: light.bar_opacity,
        ..Theme::dark()
    };
    [light, dark]
}

/// The figure for wide and for narrow windows, in the colours of both themes.
fn pictures(plot: &Plot) -> Result<String> {
    let mut pictures = String::new();
    for (width, class) in WIDTHS {
        let size = (width, plot.height(f64::from(width)) as u32);
        let [light, dark] = themes().map(|theme| bare_svg(plot, size, &theme));
        let both = in_both_themes(&light?, &dark?).ok_or_else(|| {
            Error::new(
                ErrorKind::Plot,
                "a figure is not drawn alike in the light and in the dark theme",
            )
            .advice("Draw the same shapes in both themes.")
        })?;
        let both = compact(&both);
        pictures.push_str(&both.replacen("<svg ", &format!(r#"<svg class="{class}" aria-hidden="true" "#), 1));
    }
    Ok(pictures)
}

/// One drawing of two that differ in nothing but their colours (`"#RRGGBB"`): each colour is that of the theme in use.
fn in_both_themes(light: &str, dark: &str) -> Option<String> {
    let (mut lights, mut darks) = (light.split("\"#"), dark.split("\"#"));
    let mut both = lights.next().filter(|start| darks.next() == Some(*start))?.to_owned();
    for light in lights {
        let (light_color, rest) = light.split_at_checked(6)?;
        let dark_color = darks.next()?.strip_suffix(rest)?;
        if light_color == dark_color {
            both.push_str(&format!("\"#{light}"));
        } else {
            both.push_str(&format!("\"light-dark(#{light_color}, #{dark_color}){rest}"));
        }
    }
    darks.next().is_none().then_some(both)
}

#[cfg(test)]
#[path = "first_view_tests.rs"]
mod tests;
