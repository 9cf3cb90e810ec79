//! The page's state as the query of its address: a link shows what its sender saw.
//!
//! The query is short: a setting that is as [`Address::default`] has it is left out. What comes from a link is checked
//! like everything that comes from outside; keys that are not known here are ignored.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use form_urlencoded::{Serializer, parse};

use super::form::{Form, MOST, ModelChoice};
use super::view::Appearance;
use crate::error::{Error, ErrorKind, Result};
use crate::gpt2::Head;
use crate::result::HistogramName;

/// The version of the keys, under `v`.
const VERSION: &str = "1";
/// Longest query that is read, in bytes: everything written as `%XX`.
const MAX_QUERY: usize = 32 << 10;
/// Most bytes of all texts together, as they are without `%XX`.
const MAX_TEXTS: usize = 8 << 10;
/// Longest URL, prompt or label, in bytes.
const MAX_TEXT: usize = 2 << 10;
/// Most values of `hide` and `show` together.
const MAX_SERIES: usize = 64;
/// Highest layer and head that a model can have.
const MAX_LAYER: usize = (1 << 10) - 1;
const MAX_HEAD: usize = (1 << 16) - 1;

/// Which model the address names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Model {
    /// The recorded run.
    #[default]
    Recorded,
    /// The model that ships with the page.
    Bundled,
    /// A checkpoint's folder anywhere on the web, as it would be typed.
    Url(String),
    /// A model in the browser's storage, by its location.
    Stored(String),
}

/// A series of a histogram.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesName {
    /// The histogram.
    pub histogram: HistogramName,
    /// The series' label, "W_U\[IO\]".
    pub label: String,
}

/// The page's state. The settings of a run are None where they are as they suit the model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Which model. Keys `model`, and `url` or `stored`.
    pub model: Model,
    /// The model's revision, where it has one. Key `revision`.
    pub revision: Option<String>,
    /// The destination head. Key `head`.
    pub head: Option<Head>,
    /// The earlier head. Key `earlier`.
    pub earlier_head: Option<Head>,
    /// Seed of the first batch. Key `seed`.
    pub seed: u32,
    /// Number of batches. Key `batches`.
    pub batches: Option<usize>,
    /// Prompts per batch. Key `size`.
    pub batch_size: Option<usize>,
    /// Whether prompts start with BOS. Key `bos`.
    pub prepend_bos: bool,
    /// Whether the heatmap is shown as in the notebook, without b_O. Key `notebook`.
    pub as_in_notebook: bool,
    /// Series that start visible and are hidden. Key `hide`, once for each.
    pub hidden: BTreeSet<SeriesName>,
    /// Series that start hidden and are shown. Key `show`, once for each.
    pub shown: BTreeSet<SeriesName>,
    /// Light or dark. Key `theme`.
    pub appearance: Appearance,
    /// A prompt of the reader's own. Key `prompt`.
    pub prompt: Option<String>,
}

impl Address {
    /// Reads the query of an address, with or without the question mark. An empty one is [`Address::default`].
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first key that does not hold what it should.
    pub fn parse(query: &str) -> Result<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > MAX_QUERY {
            return Err(error(format!("the address has {} bytes of settings", query.len()))
                .expected(format!("at most {MAX_QUERY}")));
        }
        let mut read = Reader::default();
        for (key, value) in parse(query.as_bytes()) {
            read.take(&key, &value)?;
        }
        read.finish()
    }

    /// The query, without the question mark; empty where everything is as it is by default.
    pub fn to_query(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let mut query = Serializer::new(String::new());
        query.append_pair("v", VERSION);
        match &self.model {
            Model::Recorded => {}
            Model::Bundled => drop(query.append_pair("model", "bundled")),
            Model::Url(url) => drop(query.append_pair("model", "url").append_pair("url", url)),
            Model::Stored(place) => drop(query.append_pair("model", "stored").append_pair("stored", place)),
        }
        let mut given = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(key, &value);
            }
        };
        let switch = |on: bool| on.then(|| "1".to_owned());
        given("revision", self.revision.clone());
        given("head", text(self.head));
        given("earlier", text(self.earlier_head));
        given("seed", text(Some(self.seed).filter(|seed| *seed != 0)));
        given("batches", text(self.batches));
        given("size", text(self.batch_size));
        given("bos", switch(self.prepend_bos));
        given("notebook", switch(self.as_in_notebook));
        for (key, list) in [("hide", &self.hidden), ("show", &self.shown)] {
            for series in list {
                given(key, Some(format!("{}:{}", series.histogram, series.label)));
            }
        }
        let chosen = Some(self.appearance).filter(|chosen| *chosen != Appearance::System);
        given("theme", chosen.map(|chosen| chosen.value().to_owned()));
        given("prompt", self.prompt.clone());
        query.finish()
    }

    /// The form with these settings; a stored model's location is its URL. What the address leaves open is as it
    /// suits the model.
    pub fn form(&self) -> Form {
        let mut form = Form::default();
        let (choice, url) = match &self.model {
            Model::Recorded => (ModelChoice::Recorded, ""),
            Model::Bundled => (ModelChoice::Bundled, ""),
            Model::Url(url) | Model::Stored(url) => (ModelChoice::Url, url.as_str()),
        };
        form.choose(choice);
        form.url = url.into();
        form.heads_typed = self.head.is_some() || self.earlier_head.is_some();
        let set = |field: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        set(&mut form.head, text(self.head));
        set(&mut form.earlier_head, text(self.earlier_head));
        set(&mut form.seed, text(Some(self.seed)));
        set(&mut form.batches, text(self.batches));
        set(&mut form.batch_size, text(self.batch_size));
        form.prepend_bos = self.prepend_bos;
        form
    }
}

fn text(value: Option<impl fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// What has been read of a query so far.
#[derive(Default)]
struct Reader {
    address: Address,
    model: Option<String>,
    url: Option<String>,
    stored: Option<String>,
    seen: BTreeSet<&'static str>,
    series: usize,
    bytes: usize,
}

impl Reader {
    fn take(&mut self, key: &str, value: &str) -> Result<()> {
        const KEYS: [&str; 16] = [
            "v", "model", "url", "stored", "revision", "head", "earlier", "seed", "batches", "size", "bos", "notebook",
            "hide", "show", "theme", "prompt",
        ];
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            return Ok(());
        };
        self.bytes += value.len();
        if self.bytes > MAX_TEXTS {
            return Err(error(format!("the address is too long at \"{key}\""))
                .expected(format!("at most {MAX_TEXTS} bytes of text")));
        }
        if key == "hide" || key == "show" {
            return self.series(key, value);
        }
        if !self.seen.insert(key) {
            return Err(error(format!("the address has \"{key}\" twice")).expected("it once"));
        }
        let address = &mut self.address;
        match key {
            "v" if value != VERSION => return Err(wrong(key, value, VERSION)),
            "model" => self.model = Some(value.to_owned()),
            "url" => self.url = Some(line(key, value)?),
            "stored" => self.stored = Some(line(key, value)?),
            "revision" => address.revision = Some(revision(value)?),
            "head" => address.head = Some(head(key, value)?),
            "earlier" => address.earlier_head = Some(head(key, value)?),
            "seed" => address.seed = number(key, value, 0, u32::MAX)?,
            "batches" => address.batches = Some(number(key, value, 1, MOST)?),
            "size" => address.batch_size = Some(number(key, value, 1, MOST)?),
            "bos" => address.prepend_bos = switch(key, value)?,
            "notebook" => address.as_in_notebook = switch(key, value)?,
            "theme" => address.appearance = appearance(value)?,
            "prompt" => address.prompt = Some(line(key, value)?),
            _ => {}
        }
        Ok(())
    }

    fn series(&mut self, key: &str, value: &str) -> Result<()> {
        let expected = "a histogram and a label, such as keys_fixed_scores:W_U[IO]";
        let (histogram, label) = value.split_once(':').ok_or_else(|| wrong(key, value, expected))?;
        let histogram = histogram.parse().map_err(|_| wrong(key, value, expected))?;
        let label = line(key, label)?;
        self.series += 1;
        if self.series > MAX_SERIES {
            return Err(error(format!("the address has too many values of \"{key}\""))
                .expected(format!("at most {MAX_SERIES} of hide and show")));
        }
        let (hidden, shown) = (&mut self.address.hidden, &mut self.address.shown);
        let list = if key == "hide" { hidden } else { shown };
        list.insert(SeriesName { histogram, label });
        Ok(())
    }

    fn finish(self) -> Result<Address> {
        let mut address = self.address;
        let place = |key: &str, value: Option<String>| {
            value.ok_or_else(|| error(format!("the address has no \"{key}\"")).expected("one with this \"model\""))
        };
        address.model = match self.model.as_deref() {
            None | Some("recorded") => Model::Recorded,
            Some("bundled") => Model::Bundled,
            Some("url") => Model::Url(place("url", self.url)?),
            Some("stored") => Model::Stored(place("stored", self.stored)?),
            Some(other) => return Err(wrong("model", other, "recorded, bundled, url or stored")),
        };
        if let (Some(head), Some(earlier)) = (address.head, address.earlier_head)
            && earlier.layer >= head.layer
        {
            let expected = format!("a head of a layer before that of {head}");
            return Err(wrong("earlier", &earlier.to_string(), expected));
        }
        Ok(address)
    }
}

fn head(key: &str, value: &str) -> Result<Head> {
    let head = value.parse().ok();
    head.filter(|head: &Head| head.layer <= MAX_LAYER && head.head <= MAX_HEAD)
        .ok_or_else(|| wrong(key, value, "layer.head, both counted from 0, such as 10.7"))
}

fn number<T: FromStr + PartialOrd + fmt::Display>(key: &str, value: &str, least: T, most: T) -> Result<T> {
    let number = value.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| wrong(key, value, format!("a whole number from {least} to {most}")))
}

fn switch(key: &str, value: &str) -> Result<bool> {
    match value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(wrong(key, value, "1 or 0")),
    }
}

fn appearance(value: &str) -> Result<Appearance> {
    let found = Appearance::ALL.into_iter().find(|known| known.value() == value);
    found.ok_or_else(|| wrong("theme", value, "system, light or dark"))
}

/// A branch, tag or commit.
fn revision(value: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if value.is_empty() || value.len() > 100 || !value.chars().all(plain) || value.contains("..") {
        return Err(wrong(
            "revision",
            value,
            "a branch, tag or commit of at most 100 characters",
        ));
    }
    Ok(value.to_owned())
}

/// A text of one line that is not empty.
fn line(key: &str, value: &str) -> Result<String> {
    if value.is_empty() || value.len() > MAX_TEXT || value.contains(char::is_control) {
        return Err(wrong(key, value, format!("one line of 1 to {MAX_TEXT} bytes")));
    }
    Ok(value.to_owned())
}

fn wrong(key: &str, value: &str, expected: impl Into<String>) -> Error {
    let shown: String = value.chars().take(80).collect();
    error(format!("the address has {shown:?} for \"{key}\"")).expected(expected)
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Request, cause).advice("Correct the address, or open the page without what follows \"?\".")
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
