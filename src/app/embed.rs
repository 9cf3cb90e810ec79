//! The page as one figure in another page: what the address asks for, and what the frame and its host say to each other.
//!
//! `docs/embedding.md` is the same for people who embed. Nothing here knows a browser.

mod messages;

use std::str::FromStr;

use form_urlencoded::{Serializer, parse};

pub use self::messages::{FromHost, Host, PROTOCOL, Received, ToHost};
use crate::checkpoint::{Transport, check_for_page};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::FigurePlace;
use crate::result::{MAX_BYTES, ResultFile};

/// What stands under `result` where the host hands the result over.
const FROM_HOST: &str = "host";
/// What stands under `result` where the page that opened this one hands the result over.
const FROM_OPENER: &str = "opener";
/// Longest value of a key of the address, in bytes.
const MAX_VALUE: usize = 2 << 10;

/// The figure that the key `embed` names.
fn figure(text: &str) -> Result<FigurePlace> {
    let place = text.parse();
    place.map_err(|known: Error| wrong("embed", text, known.expected))
}

/// What `figure` shows of `result`, in a few words.
pub fn title(figure: FigurePlace, result: &ResultFile) -> String {
    let what = figure.title();
    format!("{what}, head {} of {}", result.head_name(), result.model.name)
}

/// Which controls the figure has. The legend itself is always there: without its control it can't be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Controls {
    /// Clicks on the legend show and hide series. The other two bring it along.
    pub legend: bool,
    /// Bins, axes, order, zoom; which heatmap.
    pub toolbar: bool,
    /// Pictures and data to take away.
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

/// Where the result comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ResultPlace {
    /// The recorded run.
    #[default]
    Recorded,
    /// A result file, by an address that may be relative to the page.
    Url(String),
    /// The page around the frame hands it over.
    Host,
    /// The frame from which this page was opened hands it over.
    Opener,
}

impl ResultPlace {
    /// Reads the key `result` of an address, with or without the question mark.
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

/// What the address of a frame asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embed {
    /// Key `embed`.
    pub figure: FigurePlace,
    /// Key `controls`; the legend alone where it is missing.
    pub controls: Controls,
    /// Key `result`.
    pub place: ResultPlace,
    /// Origin of the host, the only one that is listened to. Key `parent`.
    pub host: Option<String>,
}

impl Embed {
    /// Reads a query, with or without the question mark. None where it does not ask for a frame.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first key that does not hold what it should.
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

/// Lowest plot that can be read, in CSS pixels.
const LOWEST_PLOT: f64 = 140.0;

/// How high the plots of a frame may be that is `inner` CSS pixels high, where its content would be `suitable` and the highest of its
/// plots `plot`. As high as they like where all fits.
pub fn available_height(suitable: f64, plot: f64, inner: f64) -> f64 {
    // Heights are rounded up for the host.
    let missing = suitable.ceil() - inner.ceil();
    match missing > 0.0 {
        true => (plot - missing).max(LOWEST_PLOT),
        false => f64::INFINITY,
    }
}

/// Whether `query` asks for a frame, even if it does so wrongly.
pub fn is_asked(query: &str) -> bool {
    parse(bare(query)).any(|(key, _)| key == "embed")
}

/// The query of the whole page that shows what a frame with `query` shows: everything but the frame's own keys. A result
/// that was handed over to the frame is then handed over by the frame.
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

/// The value of `key`, where it is there.
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

/// `text`, where it is an origin as browsers write them: scheme, host, and a port other than the scheme's own.
fn origin(text: &str) -> Result<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    if !matches!(scheme, "http" | "https") || rest.is_empty() || !rest.chars().all(plain) {
        return Err(wrong("parent", text, "an origin, such as https://blog.example.org"));
    }
    Ok(text.to_owned())
}

/// Reads the result file at `url`, an absolute address, for a page of `page`.
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
