//! The page as one figure in another page: what the address asks for, and what the frame and its host say to each other.
//!
//! `docs/embedding.md` is the same for people who embed. Nothing here knows a browser.

use std::str::FromStr;

use form_urlencoded::{Serializer, parse};
use serde::Serialize;

use super::view::Appearance;
use crate::checkpoint::{Transport, check_for_page};
use crate::error::{Error, ErrorKind, Result};
use crate::names::FigurePlace;
use crate::result::{MAX_BYTES, ResultFile};

/// The version of the messages, in their field `keyside`.
pub const PROTOCOL: u8 = 1;
/// What stands under `result` where the host hands the result over.
const FROM_HOST: &str = "host";
/// What stands under `result` where the page that opened this one hands the result over.
const FROM_OPENER: &str = "opener";
/// Longest value of a key of the address, in bytes.
const MAX_VALUE: usize = 2 << 10;
/// Longest name of a result that is shown, in characters.
const MAX_NAME: usize = 100;

/// The figure that the key `embed` names.
fn figure(text: &str) -> Result<FigurePlace> {
    let place = text.parse();
    place.map_err(|known: Error| wrong("embed", text, known.expected))
}

/// What `figure` shows of `result`, in a few words.
pub fn title(figure: FigurePlace, result: &ResultFile) -> String {
    let what = match figure {
        FigurePlace::Heatmap => "Contributions of components to the attention score".to_owned(),
        FigurePlace::Histogram(name) => {
            let values = if name.probs() { "probabilities" } else { "scores" };
            let fixed = if name.keys_fixed() { "keys" } else { "queries" };
            format!("Attention {values} with {fixed} fixed")
        }
    };
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
        Error::new(ErrorKind::Source, format!("{url} can't be read ({cause})")).advice(transport.advice())
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

/// What the frame tells its host, and the pages that were opened from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToHost {
    /// It listens.
    Ready,
    /// Its content is so many CSS pixels high.
    Height {
        /// Rounded up.
        height: u32,
    },
    /// The figure is drawn.
    Shown {
        /// What it is, for people.
        title: String,
    },
    /// Something went wrong; the frame shows the same words.
    Error {
        /// In words.
        message: String,
    },
    /// To a page that was opened from the frame: what the frame shows.
    Result {
        /// What it is called.
        name: String,
        /// The result file's text.
        text: String,
    },
    /// From a page that was opened from a frame: hand over what you show.
    Want,
}

impl ToHost {
    /// As the JSON of the message's object.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Message<'a> {
            keyside: u8,
            #[serde(flatten)]
            said: &'a ToHost,
        }
        let message = Message {
            keyside: PROTOCOL,
            said: self,
        };
        // A tree of numbers and text always becomes JSON.
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Whether it says nothing that a page would not know of any frame: then it may go to a host whose origin is unknown.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Ready | Self::Height { .. })
    }
}

/// A message as it came: fields that have another type than they should are None.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Received {
    /// The version.
    pub keyside: Option<f64>,
    /// The field `type`.
    pub kind: Option<String>,
    /// Name of a result.
    pub name: Option<String>,
    /// A result file's text.
    pub text: Option<String>,
    /// Light or dark.
    pub theme: Option<String>,
}

/// What the frame is told.
#[derive(Debug, Clone, PartialEq)]
pub enum FromHost {
    /// Show this result.
    Result {
        /// What to call it.
        name: String,
        /// The result file's text: not yet checked.
        text: String,
    },
    /// Be light, dark, or as the system has it.
    Theme(Appearance),
    /// Not the host but a page that was opened from the frame: hand over what you show.
    Want,
}

impl FromHost {
    /// Reads a message; None for what is not of this protocol, or of a later kind.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where a message of this protocol lacks what it needs.
    pub fn read(received: Received) -> Result<Option<Self>> {
        let bad = |cause: &str| Error::new(ErrorKind::Request, cause).advice("See docs/embedding.md for the messages.");
        match (received.keyside, received.kind.as_deref()) {
            (Some(version), Some("result")) if version == f64::from(PROTOCOL) => {
                let text = received.text.ok_or_else(|| {
                    bad("the page around this figure handed over a result without text")
                        .expected("the result file's text, as a string")
                })?;
                if text.len() > MAX_BYTES {
                    return Err(
                        bad("the page around this figure handed over a result that is too large")
                            .expected(format!("at most {} MiB", MAX_BYTES >> 20)),
                    );
                }
                let name = received.name.unwrap_or_default();
                let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
                let name = if name.is_empty() { "this page".to_owned() } else { name };
                Ok(Some(Self::Result { name, text }))
            }
            (Some(version), Some("want")) if version == f64::from(PROTOCOL) => Ok(Some(Self::Want)),
            (Some(version), Some("theme")) if version == f64::from(PROTOCOL) => {
                let theme = received.theme.unwrap_or_default();
                let known = Appearance::ALL.into_iter().find(|known| known.value() == theme);
                known.map(|theme| Some(Self::Theme(theme))).ok_or_else(|| {
                    bad("the page around this figure asked for an unknown theme").expected("system, light or dark")
                })
            }
            _ => Ok(None),
        }
    }
}

/// Who is on the other side: the parent window, and its origin as soon as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    origin: Option<String>,
}

impl Host {
    /// The host that the address names, or one that has yet to speak.
    pub fn new(origin: Option<String>) -> Self {
        Self { origin }
    }

    /// Whether a message is the host's: it must come from the parent window, and always from the same origin.
    pub fn may_say(&self, from_parent: bool, origin: &str) -> bool {
        from_parent && self.origin.as_deref().is_none_or(|known| known == origin)
    }

    /// The host has said something that makes sense.
    pub fn has_spoken(&mut self, origin: &str) {
        self.origin.get_or_insert_with(|| origin.to_owned());
    }

    /// The origin to address `message` to. None: not to be sent, as it is not known who would read it.
    pub fn target(&self, message: &ToHost) -> Option<&str> {
        match self.origin.as_deref() {
            // A host without an origin of its own can't be addressed.
            None | Some("null") => message.is_plain().then_some("*"),
            known => known,
        }
    }
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
