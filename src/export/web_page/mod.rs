//! A figure as a self-contained HTML fragment: SVG, its values, and a small script.
//!
//! A fragment can be inserted into any page, also repeatedly: its style uses a class of its own, it has no ids, and its
//! script listens to nothing outside of it. Without its script it is a picture.

mod html;
mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use self::html::escaped;
use self::svg::Colors;
use crate::error::Result;
use crate::plot::{Plot, Rect, SHEET_UNITS, Sheet, SheetTarget, StrokeGroup, Switches, Target, Theme};

const SCRIPT: &str = include_str!("figure.js");
const STYLE: &str = include_str!("figure.css");
/// The class in script and style; each figure replaces it by its own.
const CLASS: &str = "keyside-figure";
/// Width of a figure, in CSS pixels; it is scaled down in narrow pages.
const WIDTH: u32 = 820;

/// The texts around a plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// A textual description of the figure, for accessibility.
    pub summary: String,
    /// The source: model, head, prompts.
    pub source: String,
}

/// `plot` as an HTML fragment, `<div>` to `</div>`: see the module. Equal plots give equal text.
///
/// # Errors
/// [`crate::ErrorKind::Internal`] where the plot can't be drawn for both themes.
pub fn fragment(plot: &Plot, around: &Around) -> Result<String> {
    let sheet = Sheet::of(plot, WIDTH)?;
    let mut colors = Colors::default();
    let drawing = drawing(&sheet, &mut colors);
    let legend = legend(&sheet, &mut colors);
    // No text in the data can end the script element.
    let data = data(&sheet, &mut colors).to_string().replace('<', "\\u003c");
    let style = style(&colors);
    let inner = format!(
        "<div class=\"head\"><p>{title}</p><button type=\"button\" data-part=\"theme\" aria-label=\"Light or dark\" title=\"Light or \
         dark\">\u{25d0}</button></div>\n<div class=\"scroll\"><div class=\"plot\" data-part=\"plot\" tabindex=\"0\" \
         role=\"application\" aria-roledescription=\"interactive plot\" aria-label=\"{label}\">\n{drawing}\n<div class=\"tip\" \
         data-part=\"tip\" aria-hidden=\"true\" hidden></div></div></div>\n<div class=\"kept\" data-part=\"kept\" \
         data-hint=\"{hint}\"></div>\n{legend}<p class=\"unseen\" role=\"status\" data-part=\"said\"></p>\n<p class=\"unseen\">{summary}</p>\n<p class=\"source\">{source}</p>\n<script \
         type=\"application/json\" data-part=\"data\">{data}</script>",
        title = escaped(&sheet.title),
        hint = if sheet.targets.is_empty() { "" } else { HINT },
        label = escaped(&format!("{}. {KEYS}", sheet.title)),
        summary = escaped(&around.summary),
        source = escaped(&around.source),
    );
    let class = format!("{CLASS}-{}", digest(&[&inner, &style, SCRIPT]));
    Ok(format!(
        "<div class=\"{class}\" role=\"group\" aria-label=\"{}\">\n<style>\n{}</style>\n{inner}\n<script>\n{}</script>\n</div>\n",
        escaped(&sheet.title),
        style.replace(CLASS, &class),
        SCRIPT.replace(CLASS, &class),
    ))
}

/// A complete page with `fragments` that loads nothing else.
pub fn page(title: &str, fragments: &[String]) -> String {
    let (title, fragments) = (escaped(title), fragments.concat());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n<title>{title}</title>\n<style>\nhtml {{ color-scheme: \
         light dark; }}\nbody {{ margin: 12px; font-family: {}; }}\nh1 {{ max-width: {WIDTH}px; margin: 0 auto 12px; font-size: 18px; \
         font-weight: 600; }}\n</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{fragments}</main>\n</body>\n</html>\n",
        Theme::light().font_family
    )
}

const KEYS: &str = "Arrow keys walk from one part to the next; Home and End go to the first and the last. Enter keeps the values below \
                    the plot, Escape lets go.";

const HINT: &str = "Click or tap a part to keep its values here.";

/// The beginning of the SHA-256 of `texts`, so that different figures have different classes.
fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    texts.iter().for_each(|text| hash.update(text.as_bytes()));
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The style of [`CLASS`], with the colors of both themes.
fn style(colors: &Colors) -> String {
    let (light, dark) = (Theme::light(), Theme::dark());
    let rules = |theme: &Theme, number: usize| {
        let [paper, ink] =
            [theme.background, theme.text].map(|color| format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2));
        let scheme = ["light", "dark"][number];
        format!(
            "color-scheme:{scheme};--dark:{number};--paper:{paper};--ink:{ink};{}",
            colors.declared(number)
        )
    };
    let (light, dark, font) = (rules(&light, 0), rules(&dark, 1), light.font_family);
    // The user's choice; otherwise the notebook's theme, or the system's.
    format!(
        ".{CLASS} {{ max-width: {}px; font-family: {font}; {light} }}\n@media (prefers-color-scheme: dark) {{ \
         .{CLASS}:not([data-theme=\"light\"]) {{ {dark} }} }}\n[data-jp-theme-light=\"false\"] .{CLASS}:not([data-theme=\"light\"]), \
         .vscode-dark .{CLASS}:not([data-theme=\"light\"]), .{CLASS}[data-theme=\"dark\"] {{ {dark} }}\n\
         [data-jp-theme-light=\"true\"] .{CLASS}:not([data-theme=\"dark\"]), .vscode-light .{CLASS}:not([data-theme=\"dark\"]) {{ \
         {light} }}\n{STYLE}",
        WIDTH + 24
    )
}

/// The drawing, in units of the sheet.
fn drawing(sheet: &Sheet, colors: &mut Colors) -> String {
    let (width, height) = (sheet.size.0 * SHEET_UNITS, sheet.size.1 * SHEET_UNITS);
    let mut text = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{}\" aria-hidden=\"true\">",
        sheet.size.0
    );
    for (part, strokes) in &sheet.parts {
        let Some(name) = svg::group(*part) else {
            svg::write(strokes, colors, &mut text);
            continue;
        };
        let placed = sheet
            .switches
            .as_ref()
            .map(|switches| at_first(*part, switches))
            .unwrap_or_default();
        let _ = write!(text, "<g data-group=\"{name}\"{placed}>");
        svg::write(strokes, colors, &mut text);
        text.push_str("</g>");
    }
    text.push_str(
        "<rect class=\"mark pointed\" visibility=\"hidden\"/><rect class=\"mark picked\" visibility=\"hidden\"/></svg>",
    );
    text
}

/// The placement of a part for the initially visible series. The script does the same when others are shown.
fn at_first(part: StrokeGroup, (switches, shown): &(Switches, Vec<bool>)) -> String {
    let on = || switches.series.iter().zip(shown).filter(|(_, shown)| **shown);
    let largest = on().map(|(series, _)| series.largest).max();
    let (axis, longer) = switches
        .axes
        .iter()
        .find(|(count, _)| Some(*count) == largest)
        .or(switches.axes.first())
        .copied()
        .unwrap_or((0, 1.0));
    let is_shown = |series: usize| shown.get(series).copied().unwrap_or(false);
    let units = |length: f64| length * f64::from(SHEET_UNITS);
    let hidden = " display=\"none\"".to_owned();
    match part {
        StrokeGroup::Counts(of) if of != axis => hidden,
        StrokeGroup::Bars(series) | StrokeGroup::Box(series) if !is_shown(series) => hidden,
        StrokeGroup::Bars(_) => format!(
            " transform=\"translate(0 {}) scale(1 {longer})\"",
            units(switches.bottom) * (1.0 - longer)
        ),
        StrokeGroup::Box(series) => {
            let height = switches.rows.height();
            let (drawn, now) = (
                height / switches.series.len() as f64,
                height / on().count().max(1) as f64,
            );
            let below = shown.iter().take(series).filter(|shown| **shown).count() as f64;
            format!(
                " transform=\"translate(0 {})\"",
                units((series as f64 + 0.5) * drawn - (below + 0.5) * now)
            )
        }
        StrokeGroup::Fixed | StrokeGroup::Counts(_) => String::new(),
    }
}

/// The legend as buttons; empty where there is none.
fn legend(sheet: &Sheet, colors: &mut Colors) -> String {
    let Some((switches, shown)) = &sheet.switches else {
        return String::new();
    };
    let (light, dark) = (Theme::light(), Theme::dark());
    let mut text = format!(
        "<div class=\"legend\" role=\"group\" aria-label=\"Series shown\"><span>{}</span>",
        escaped(&switches.title)
    );
    // The topmost box is the last one.
    for (index, (series, shown)) in switches.series.iter().zip(shown).enumerate() {
        let color = colors.value(
            light.series_color(series.color).into(),
            dark.series_color(series.color).into(),
        );
        let _ = write!(
            text,
            "<button type=\"button\" data-series=\"{index}\" aria-pressed=\"{shown}\" title=\"{}\"><span class=\"swatch\" \
             style=\"background:{color}\"></span>{}</button>",
            escaped(&series.note),
            escaped(&series.label)
        );
    }
    text + "</div>\n"
}

/// The data for the script; lengths are in units of the sheet.
fn data(sheet: &Sheet, colors: &mut Colors) -> Value {
    let units = |length: f64| (length * f64::from(SHEET_UNITS)).round() as i64;
    let rect = |rect: &Rect| {
        json!([
            units(rect.left),
            units(rect.top),
            units(rect.width()),
            units(rect.height())
        ])
    };
    let target = |SheetTarget { hover, series, steps }: &SheetTarget| {
        json!({
            "mark": rect(&hover.mark),
            "about": rect(&hover.about),
            "swatches": hover.swatches,
            "near": matches!(hover.target, Target::Dot(_)),
            "row": match hover.target { Target::Box(series) => Some(series), _ => None },
            "lines": hover.lines,
            "series": series,
            "steps": steps,
        })
    };
    let legend = sheet.switches.as_ref().map(|(switches, shown)| {
        let series = switches.series.iter().zip(shown);
        let series =
            series.map(|(series, shown)| json!({ "label": series.label, "shown": shown, "largest": series.largest }));
        json!({
            "series": series.collect::<Vec<_>>(),
            "axes": switches.axes,
            "bottom": units(switches.bottom),
            "rows": [units(switches.rows.top), units(switches.rows.bottom)],
        })
    });
    let (light, dark) = (Theme::light(), Theme::dark());
    let numbers = sheet.targets.iter().flat_map(|target| &target.hover.swatches);
    let numbers: BTreeSet<usize> = numbers.flatten().copied().collect();
    let color = |number: &usize| {
        (
            number.to_string(),
            colors.value(light.series_color(*number).into(), dark.series_color(*number).into()),
        )
    };
    json!({
        "colors": numbers.iter().map(color).collect::<BTreeMap<_, _>>(),
        "size": [sheet.size.0 * SHEET_UNITS, sheet.size.1 * SHEET_UNITS],
        "first": sheet.first,
        "targets": sheet.targets.iter().map(target).collect::<Vec<_>>(),
        "legend": legend,
    })
}
