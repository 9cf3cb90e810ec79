//! The page's state as the query of its address: a link shows what its sender saw.
//!
//! The query is short: a setting that is as [`Address::default`] has it is left out. What comes from a link is checked
//! like everything that comes from outside; keys that are not known here are ignored. What a link can't hold (files of
//! the reader's own, a result that was opened) is left out.
//!
//! | Key | What it holds |
//! | --- | --- |
//! | `v` | the version of the keys: 1 |
//! | `model`, `url` | `recorded`, `bundled`, `hub:NAME`, `hub:NAME@REVISION`, `url` with its address, `picked` |
//! | `head`, `earlier`, `seed`, `batches`, `size`, `bos` | the settings of the run |
//! | `toggle1` ... `toggle4` | a series of that figure that is shown and was not, or the other way round; once for each |
//! | `bins1`, `log1`, `zoom1`, `order1` ... | the figure's bins, logarithmic counts, range of values, order of series |
//! | `heatmap`, `notebook`, `cells`, `cell` | which heatmap, without b_O, its rows and columns that are shown, the picked cell |
//! | `prompt` | number of the picked prompt, counted from 0 |
//! | `theme`, `text` | `light` or `dark`; 0 where the explanations are hidden |

mod values;
mod views;

use std::collections::BTreeSet;

use form_urlencoded::parse;

use self::values::{Query, error, head, line, number, switch, text, wrong};
use super::form::{Form, MOST, ModelChoice};
use super::view::View;
use crate::checkpoint::{HUB_MODELS, hub_url};
use crate::error::Result;
use crate::names::Head;

/// The version of the keys, under `v`.
const VERSION: &str = "1";
/// Longest query that is read, in bytes: everything written as `%XX`.
const MAX_QUERY: usize = 48 << 10;
/// Most bytes of all texts together, as they are without `%XX`.
const MAX_TEXTS: usize = 12 << 10;
/// Longest URL, in bytes.
const MAX_URL: usize = 2 << 10;

/// Which model the address names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Model {
    /// The recorded run.
    #[default]
    Recorded,
    /// The model that ships with the page.
    Bundled,
    /// A published GPT-2 checkpoint.
    Hub {
        /// Its short name, one of [`HUB_MODELS`].
        name: String,
        /// Its revision; empty for the known commit.
        revision: String,
    },
    /// A checkpoint's folder anywhere on the web, as it would be typed; empty where nothing is typed yet.
    Url(String),
    /// Files on the reader's own device, which a link can't hold.
    Picked,
}

/// The page's state. The settings of a run are None where they are as they suit the model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Address {
    /// Which model.
    pub model: Model,
    /// The destination head.
    pub head: Option<Head>,
    /// The earlier head.
    pub earlier_head: Option<Head>,
    /// Seed of the first batch.
    pub seed: u32,
    /// Number of batches.
    pub batches: Option<usize>,
    /// Prompts per batch.
    pub batch_size: Option<usize>,
    /// Whether prompts start with BOS.
    pub prepend_bos: bool,
    /// How the figures and the page are shown.
    pub view: View,
}

impl Address {
    /// The state that `form` and `view` stand for. What can't be read as it is typed, and what no link can hold, is
    /// left out: the address always reads back as the same.
    pub fn of(form: &Form, view: &View) -> Self {
        let mut address = Self {
            model: model_of(form),
            view: views::clean(view),
            ..Self::default()
        };
        if address.model == Model::Recorded {
            return address;
        }
        let mut usual = Form::default();
        usual.choose(form.model);
        let typed_head = |typed: &str, usual: &str| {
            let head = head("head", typed.trim()).ok();
            head.filter(|_| form.heads_typed || typed.trim() != usual)
        };
        address.head = typed_head(&form.head, &usual.head);
        let before = |earlier: &Head| address.head.is_none_or(|head| earlier.layer < head.layer);
        address.earlier_head = typed_head(&form.earlier_head, &usual.earlier_head).filter(before);
        address.seed = number("seed", form.seed.trim(), 0, u32::MAX).unwrap_or_default();
        let count = |typed: &str, usual: &str| {
            let count = number("size", typed.trim(), 1, MOST).ok();
            count.filter(|count| count.to_string() != usual)
        };
        address.batches = count(&form.batches, &usual.batches);
        address.batch_size = count(&form.batch_size, &usual.batch_size);
        address.prepend_bos = form.prepend_bos;
        address
    }

    /// Reads the query of an address, with or without the question mark. An empty one is [`Address::default`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] naming the first key that does not hold what it should.
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
        let mut query = Query::default();
        query.add("v", VERSION);
        match &self.model {
            Model::Recorded => {}
            Model::Bundled => query.add("model", "bundled"),
            Model::Hub { name, revision } if revision.is_empty() => query.add("model", &format!("hub:{name}")),
            Model::Hub { name, revision } => query.add("model", &format!("hub:{name}@{revision}")),
            Model::Url(url) => {
                query.add("model", "url");
                query.given("url", Some(url).filter(|url| !url.is_empty()).cloned());
            }
            Model::Picked => query.add("model", "picked"),
        }
        query.given("head", text(self.head));
        query.given("earlier", text(self.earlier_head));
        query.given("seed", text(Some(self.seed).filter(|seed| *seed != 0)));
        query.given("batches", text(self.batches));
        query.given("size", text(self.batch_size));
        query.given("bos", self.prepend_bos.then(|| "1".to_owned()));
        views::write(&self.view, &mut query);
        query.finish()
    }

    /// The form with these settings. What the address leaves open is as it suits the model.
    pub fn form(&self) -> Form {
        let mut form = Form::default();
        let choice = match &self.model {
            Model::Recorded => ModelChoice::Recorded,
            Model::Bundled => ModelChoice::Bundled,
            Model::Hub { .. } => ModelChoice::Hub,
            Model::Url(_) => ModelChoice::Url,
            Model::Picked => ModelChoice::Picked,
        };
        form.choose(choice);
        match &self.model {
            Model::Hub { name, revision } => {
                form.hub.clone_from(name);
                form.revision.clone_from(revision);
            }
            Model::Url(url) => form.url.clone_from(url),
            _ => {}
        }
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

    /// Whether the way from here to `next` is a step that "back" should undo, and not one of many small changes such
    /// as typing or zooming. `ran` says that the settings here were run, so that the way back leads to that run.
    pub fn is_step(&self, next: &Self, ran: bool) -> bool {
        let kind = |address: &Self| match &address.model {
            // The URL is typed letter by letter.
            Model::Url(_) => Model::Url(String::new()),
            Model::Hub { name, .. } => Model::Hub {
                name: name.clone(),
                revision: String::new(),
            },
            other => other.clone(),
        };
        let settings = |address: &Self| Self {
            view: View::default(),
            ..address.clone()
        };
        kind(self) != kind(next)
            || self.view.heatmap.name != next.view.heatmap.name
            || ran && settings(self) != settings(next)
    }
}

/// The model that `form` names, as far as an address can.
fn model_of(form: &Form) -> Model {
    match form.model {
        ModelChoice::Recorded => Model::Recorded,
        ModelChoice::Bundled => Model::Bundled,
        ModelChoice::Hub => hub(&format!("{}@{}", form.hub.trim(), form.revision.trim()))
            .or_else(|_| hub(form.hub.trim()))
            .unwrap_or_default(),
        ModelChoice::Url => Model::Url(line("url", form.url.trim(), MAX_URL).unwrap_or_default()),
        ModelChoice::Picked => Model::Picked,
    }
}

/// A model of the hub by what follows `hub:`.
fn hub(value: &str) -> Result<Model> {
    let (name, revision) = value.split_once('@').unwrap_or((value, ""));
    let known = HUB_MODELS.iter().any(|model| model.name == name);
    if !known || revision.len() > 100 || revision.trim() != revision || hub_url(name, revision).is_err() {
        let names: Vec<&str> = HUB_MODELS.iter().map(|model| model.name).collect();
        let expected = format!("hub:NAME or hub:NAME@REVISION with one of {}", names.join(", "));
        return Err(wrong("model", &format!("hub:{value}"), expected));
    }
    Ok(Model::Hub {
        name: name.to_owned(),
        revision: revision.to_owned(),
    })
}

/// What has been read of a query so far.
#[derive(Default)]
struct Reader {
    address: Address,
    model: Option<String>,
    url: Option<String>,
    seen: BTreeSet<String>,
    series: usize,
    bytes: usize,
}

impl Reader {
    fn take(&mut self, key: &str, value: &str) -> Result<()> {
        const KEYS: [&str; 9] = ["v", "model", "url", "head", "earlier", "seed", "batches", "size", "bos"];
        if !KEYS.contains(&key) && !views::is_key(key) {
            return Ok(());
        }
        self.bytes += value.len();
        if self.bytes > MAX_TEXTS {
            return Err(error(format!("the address is too long at \"{key}\""))
                .expected(format!("at most {MAX_TEXTS} bytes of text")));
        }
        if views::is_toggle(key) {
            self.series += 1;
            if self.series > views::MAX_SERIES {
                return Err(error(format!("the address has too many values of \"{key}\""))
                    .expected(format!("at most {} series", views::MAX_SERIES)));
            }
        } else if !self.seen.insert(key.to_owned()) {
            return Err(error(format!("the address has \"{key}\" twice")).expected("it once"));
        }
        let address = &mut self.address;
        match key {
            "v" if value != VERSION => return Err(wrong(key, value, VERSION)),
            "v" => {}
            "model" => self.model = Some(value.to_owned()),
            "url" => self.url = Some(line(key, value, MAX_URL)?),
            "head" => address.head = Some(head(key, value)?),
            "earlier" => address.earlier_head = Some(head(key, value)?),
            "seed" => address.seed = number(key, value, 0, u32::MAX)?,
            "batches" => address.batches = Some(number(key, value, 1, MOST)?),
            "size" => address.batch_size = Some(number(key, value, 1, MOST)?),
            "bos" => address.prepend_bos = switch(key, value)?,
            _ => views::take(&mut address.view, key, value)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Address> {
        let mut address = self.address;
        address.model = match self.model.as_deref() {
            None | Some("recorded") => Model::Recorded,
            Some("bundled") => Model::Bundled,
            Some("url") => Model::Url(self.url.unwrap_or_default().trim().to_owned()),
            Some("picked") => Model::Picked,
            Some(other) => match other.strip_prefix("hub:") {
                Some(name) => hub(name)?,
                None => return Err(wrong("model", other, "recorded, bundled, hub:NAME, url or picked")),
            },
        };
        if let (Some(head), Some(earlier)) = (address.head, address.earlier_head)
            && earlier.layer >= head.layer
        {
            let expected = format!("a head of a layer before that of {head}");
            return Err(wrong("earlier", &earlier.to_string(), expected));
        }
        if address.model == Model::Recorded {
            let mut form = address.form();
            form.heads_typed = false;
            if form != Form::default() {
                return Err(error("the address has settings of a run, but no model to run")
                    .expected("a \"model\" with them: bundled, hub:NAME, url or picked"));
            }
            return Ok(Address {
                view: address.view,
                ..Address::default()
            });
        }
        Ok(address)
    }
}

fn is_key(key: &str) -> bool {
    const KEYS: [&str; 9] = ["v", "model", "url", "head", "earlier", "seed", "batches", "size", "bos"];
    KEYS.contains(&key) || views::is_key(key)
}

/// The parts of `query` whose keys are not known here, as they stand: they belong to someone else.
pub fn others(query: &str) -> String {
    let query = query.strip_prefix('?').unwrap_or(query);
    let foreign = |part: &&str| parse(part.as_bytes()).next().is_some_and(|(key, _)| !is_key(&key));
    let parts: Vec<&str> = query.split('&').filter(foreign).collect();
    parts.join("&")
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
