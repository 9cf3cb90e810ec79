//! The page embedded as a single figure in another page: its URL, and the messages between the frame and its host.
//!
//! `docs/embedding.md` is the documentation for users. Nothing here depends on a browser.

mod messages;

use std::str::FromStr;

use form_urlencoded::{Serializer, parse};

pub use self::messages::{FromHost, Host, PROTOCOL, Received, ToHost};
use crate::checkpoint::{Transport, check_for_page};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::FigurePlace;
use crate::result::{MAX_BYTES, ResultFile};

/// Value of `result` if the host passes the result.
const FROM_HOST: &str = "host";
/// Value of `result` if the page that opened this one passes the result.
const FROM_OPENER: &str = "opener";
/// Limit of a value's length in bytes.
const MAX_VALUE: usize = 2 << 10;

/// The figure of the key `embed`.
fn figure(text: &str) -> Result<FigurePlace> {
    let place = text.parse();
    place.map_err(|known: Error| wrong("embed", text, known.expected))
}

/// The title of `figure` for `result`.
pub fn title(figure: FigurePlace, result: &ResultFile) -> String {
    let what = figure.title();
    format!("{what}, head {} of {}", result.head_name(), result.model.name)
}

/// The controls of the figure. The legend is always shown, but cannot be clicked without its control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Controls {
    /// The legend can show and hide series. The other two controls include it.
    pub legend: bool,
    /// Bins, axes, order, zoom; selection of the heatmap.
    pub toolbar: bool,
    /// The export menu.
    pub export: bool,
}

impl FromStr for Controls {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut controls = Self::default();
        if text.is_empty() || text == "none" {
            return Ok(controls);
        }
        for name in text.split(',') {
            match name.trim() {
                "legend" => {}
                "toolbar" => controls.toolbar = true,
                "export" => controls.export = true,
                other => return Err(wrong("controls", other, "none, or some of legend,toolbar,export")),
            }
            controls.legend = true;
        }
        Ok(controls)
    }
}

/// The source of the result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ResultPlace {
    /// The recorded run.
    #[default]
    Recorded,
    /// The URL of a result file, absolute or relative to the page.
    Url(String),
    /// The page around the frame passes it.
    Host,
    /// The frame that opened this page passes it.
    Opener,
}

impl ResultPlace {
    /// Parses the key `result` of a query, with or without the question mark.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where it is empty, too long or there twice.
    pub fn of_query(query: &str) -> Result<Self> {
        Ok(match value_of(query, "result")?.as_deref() {
            None => Self::Recorded,
            Some("") => return Err(wrong("result", "", "the address of a result file")),
            Some(FROM_HOST) => Self::Host,
            Some(FROM_OPENER) => Self::Opener,
            Some(url) => Self::Url(url.to_owned()),
        })
    }
}

/// The content of a frame's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embed {
    /// Key `embed`.
    pub figure: FigurePlace,
    /// Key `controls`; only the legend if it is missing.
    pub controls: Controls,
    /// Key `result`.
    pub place: ResultPlace,
    /// Origin of the host; messages of other origins are ignored. Key `parent`.
    pub host: Option<String>,
}

impl Embed {
    /// Parses a query, with or without the question mark. None where it is not for a frame.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first key with an invalid value.
    pub fn parse(query: &str) -> Result<Option<Self>> {
        let Some(asked) = value_of(query, "embed")? else {
            return Ok(None);
        };
        let legend = Controls {
            legend: true,
            ..Controls::default()
        };
        Ok(Some(Self {
            figure: figure(&asked)?,
            controls: value_of(query, "controls")?.map_or(Ok(legend), |text| text.parse())?,
            place: ResultPlace::of_query(query)?,
            host: value_of(query, "parent")?.map(|text| origin(&text)).transpose()?,
        }))
    }
}

/// Minimum height of a readable plot, in CSS pixels.
const LOWEST_PLOT: f64 = 140.0;

/// Limit of the height of a frame's plots, in CSS pixels. `inner` is the height of the frame, `suitable` that of its
/// whole content, and `plot` that of its highest plot. Unlimited if everything fits.
pub fn available_height(suitable: f64, plot: f64, inner: f64) -> f64 {
    // The host rounds heights up.
    let missing = suitable.ceil() - inner.ceil();
    if missing > 0.0 {
        (plot - missing).max(LOWEST_PLOT)
    } else {
        f64::INFINITY
    }
}

/// Whether `query` is for a frame, even if it is invalid.
pub fn is_asked(query: &str) -> bool {
    parse(bare(query)).any(|(key, _)| key == "embed")
}

/// The query of the whole page that shows the same as a frame with `query`: without the frame's own keys. If the host
/// passed the result to the frame (`handed_over`), the frame passes it on.
pub fn full_query(query: &str, handed_over: bool) -> String {
    let mut full = Serializer::new(String::new());
    for (key, value) in parse(bare(query)) {
        match &*key {
            "embed" | "controls" | "parent" => {}
            "result" if handed_over || value == FROM_HOST => {}
            _ => drop(full.append_pair(&key, &value)),
        }
    }
    if handed_over {
        full.append_pair("result", FROM_OPENER);
    }
    full.finish()
}

fn bare(query: &str) -> &[u8] {
    query.strip_prefix('?').unwrap_or(query).as_bytes()
}

/// The value of `key`, if it exists.
fn value_of(query: &str, key: &str) -> Result<Option<String>> {
    let mut values = parse(bare(query))
        .filter(|(found, _)| found == key)
        .map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() {
        return Err(error(format!("the address has \"{key}\" twice")).expected("it once"));
    }
    match value {
        Some(value) if value.len() > MAX_VALUE || value.contains(char::is_control) => {
            Err(wrong(key, &value, format!("one line of at most {MAX_VALUE} bytes")))
        }
        value => Ok(value.map(Into::into)),
    }
}

/// Checks that `text` is an origin in canonical form: scheme, host, and port unless it is the default.
fn origin(text: &str) -> Result<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    if !matches!(scheme, "http" | "https") || rest.is_empty() || !rest.chars().all(plain) {
        return Err(wrong("parent", text, "an origin, such as https://blog.example.org"));
    }
    Ok(text.to_owned())
}

/// Reads the result file at `url`, an absolute URL, for a page with origin `page`.
///
/// # Errors
/// [`ErrorKind::Source`] when a page may not read from there, it can't be had, or is larger than [`MAX_BYTES`].
pub async fn read_result(transport: &dyn Transport, url: &str, page: &str) -> Result<Vec<u8>> {
    check_for_page(url, page).map_err(|error| error.advice("Serve the result file over https."))?;
    let broken = |cause: String| {
        Error::new(ErrorKind::Source, format!("{url} can't be read ({cause})")).advice(transport.advice(url))
    };
    let mut answer = transport.get(url, None).await.map_err(broken)?;
    if answer.status != 200 {
        let status = answer.status;
        return Err(Error::new(
            ErrorKind::Source,
            format!("{url} can't be read (the server answered {status})"),
        )
        .expected("the status 200")
        .advice("Check the address of the result file."));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = answer.body.next().await.map_err(broken)? {
        if bytes.len() + piece.len() > MAX_BYTES {
            return Err(
                Error::new(ErrorKind::Source, format!("{url} is too large for a result file"))
                    .expected(format!("at most {} MiB", MAX_BYTES >> 20)),
            );
        }
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}

fn wrong(key: &str, value: &str, expected: impl Into<String>) -> Error {
    let shown: String = value.chars().take(80).collect();
    error(format!("the address has {shown:?} for \"{key}\"")).expected(expected)
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Request, cause).advice("Correct the address of the frame.")
}

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;
