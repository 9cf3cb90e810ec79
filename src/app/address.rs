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
//! | `prompts` | `own` where the prompts are the reader's own |
//! | the keys of [`SETTINGS`]: `head`, `earlier`, `seed` ... | the settings of the run |
//! | `toggle1` ... `toggle4` | a series of that figure that is shown and was not, or the other way round; once for each |
//! | `bins1`, `log1`, `zoom1`, `order1` ... | the figure's bins, logarithmic counts, range of values, order of series |
//! | `heatmap`, `notebook`, `cells`, `cell` | which heatmap, without b_O, its rows and columns that are shown, the picked cell |
//! | `prompt` | number of the picked prompt, counted from 0 |
//! | `tab` | `sentence` where one sentence is looked at; `head` and `bos` are then of that |
//! | `query`, `key`, `minus` | positions of the pair, and what its score is relative to |
//! | `side`, `measure` | whose writers are shown, what the map of heads shows |
//! | `theme`, `text` | `light` or `dark`; 0 where the explanations are hidden |
//!
//! The reader's own prompts follow after `#`, under `prompts`, a sentence under `text`: what stands there goes to no server. Texts that are longer than
//! [`MAX_PROMPTS`] characters are in no link.

mod fragment;
mod model;
mod place;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use form_urlencoded::parse;

pub use self::fragment::MAX_PROMPTS;
use self::fragment::value_of;
use self::model::MAX_URL;
pub use self::model::Model;
pub use self::place::Tab;
use super::form::{Form, PromptChoice};
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, Group, HEAD, PREPEND_BOS, SETTINGS, Setting};
use crate::error::Result;
use crate::figure::View;
use crate::figure::keys::{MAX_REPEATED, Query, error, line, wrong};
use crate::names::Head;

/// The version of the keys, under `v`.
const VERSION: &str = "1";
/// Longest query that is read, in bytes: everything written as `%XX`.
const MAX_QUERY: usize = 48 << 10;
/// Most bytes of all texts together, as they are without `%XX`.
const MAX_TEXTS: usize = 12 << 10;
/// The key of the prompts: in the query whose they are, after `#` the prompts themselves.
const PROMPTS: &str = "prompts";

/// Whose prompts the address names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Prompts {
    /// Those of the IOI dataset.
    #[default]
    Ioi,
    /// The reader's own; None where the link does not hold them.
    Own(Option<String>),
}

/// The page's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Address {
    /// Which model.
    pub model: Model,
    /// Whose prompts.
    pub prompts: Prompts,
    /// The settings that are not as they suit the model, by their keys; as [`Setting::checked`] writes them.
    pub settings: BTreeMap<&'static str, String>,
    /// What is asked of a sentence, where that part of the page is open; settings and prompts are then left out.
    pub question: Option<Question>,
    /// How the figures and the page are shown.
    pub view: View,
}

impl Address {
    /// The state that `form`, `view` and, where a sentence is looked at, `question` stand for. What can't be read as it is typed, and what no link can hold, is
    /// left out: the address always reads back as the same.
    pub fn of(form: &Form, view: &View, question: Option<&Question>) -> Self {
        let mut address = Self {
            model: Model::of(form),
            view: views::clean(view),
            question: question.map(place::clean),
            ..Self::default()
        };
        if address.question.is_some() {
            return address;
        }
        if address.model == Model::Recorded {
            return address;
        }
        if form.prompts == PromptChoice::Own {
            let fits = !form.own.is_empty() && form.own.chars().count() <= MAX_PROMPTS;
            address.prompts = Prompts::Own(fits.then(|| form.own.clone()));
        }
        let usual = address.usual();
        for setting in SETTINGS.iter().filter(|setting| form.has(setting)) {
            let typed = form.text(setting);
            let chosen = setting.group == Group::Heads && form.heads_typed || typed.trim() != usual.text(setting);
            if let Some(text) = setting.checked(typed).ok().filter(|_| chosen) {
                address.settings.insert(setting.key, text);
            }
        }
        address.drop_usual();
        if address
            .heads()
            .is_some_and(|(head, earlier)| earlier.layer >= head.layer)
        {
            address.settings.remove(EARLIER_HEAD.key);
        }
        address
    }

    /// The form of the model before anything is set.
    fn usual(&self) -> Form {
        let mut form = Form::default();
        form.choose(self.model.choice());
        form.prompts = match self.prompts {
            Prompts::Ioi => PromptChoice::Ioi,
            Prompts::Own(_) => PromptChoice::Own,
        };
        form
    }

    /// Leaves out what is as usual, but for heads: those of the model's card would take their place.
    fn drop_usual(&mut self) {
        let usual = self.usual();
        for setting in SETTINGS.iter().filter(|setting| setting.group != Group::Heads) {
            if self
                .settings
                .get(setting.key)
                .is_some_and(|text| text == usual.text(setting))
            {
                self.settings.remove(setting.key);
            }
        }
    }

    /// Both heads, where both are set.
    fn heads(&self) -> Option<(Head, Head)> {
        let head = |setting: &Setting| self.settings.get(setting.key)?.parse().ok();
        Some((head(&HEAD)?, head(&EARLIER_HEAD)?))
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

    /// Reads an address of a query and of what follows `#`, which may be anything: it counts where it holds prompts, and the
    /// query says that they are the reader's own.
    ///
    /// # Errors
    /// Those of [`Address::parse`]; [`crate::ErrorKind::Request`] for prompts that are too long.
    pub fn read(query: &str, fragment: &str) -> Result<Self> {
        let mut address = Self::parse(query)?;
        if let (Prompts::Own(prompts), Some(text)) = (&mut address.prompts, prompts_in(fragment)) {
            let count = text.chars().count();
            if count > MAX_PROMPTS {
                return Err(error(format!("the address has {count} characters of prompts"))
                    .expected(format!("at most {MAX_PROMPTS}")));
            }
            *prompts = Some(text).filter(|text| !text.is_empty());
        }
        if let (Some(question), Some(text)) = (&mut address.question, place::sentence_in(fragment)) {
            let count = text.chars().count();
            if count > MAX_PROMPTS {
                return Err(error(format!("the address has a sentence of {count} characters"))
                    .expected(format!("at most {MAX_PROMPTS}")));
            }
            question.text = text;
        }
        Ok(address)
    }

    /// What belongs after `#`, without it: the reader's own prompts, where they are not too long.
    pub fn to_fragment(&self) -> Option<String> {
        if let Some(question) = &self.question {
            return place::to_fragment(question);
        }
        match &self.prompts {
            Prompts::Own(Some(text)) => {
                let mut fragment = Query::default();
                fragment.add(PROMPTS, text);
                Some(fragment.finish())
            }
            _ => None,
        }
    }

    /// The query, without the question mark; empty where everything is as it is by default.
    pub fn to_query(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let mut query = Query::default();
        query.add("v", VERSION);
        self.model.write(&mut query);
        if let Some(question) = &self.question {
            place::write(question, &mut query);
        }
        if self.prompts != Prompts::Ioi {
            query.add(PROMPTS, PromptChoice::Own.value());
        }
        for setting in SETTINGS {
            query.given(setting.key, self.settings.get(setting.key).cloned());
        }
        views::write(&self.view, &mut query);
        query.finish()
    }

    /// The form with these settings. What the address leaves open is as it suits the model.
    pub fn form(&self) -> Form {
        let mut form = self.usual();
        match &self.model {
            Model::Hub { name, revision } => {
                form.hub.clone_from(name);
                form.revision.clone_from(revision);
            }
            Model::Url(url) => form.url.clone_from(url),
            _ => {}
        }
        if let Prompts::Own(Some(text)) = &self.prompts {
            form.own.clone_from(text);
        }
        for setting in SETTINGS {
            if let Some(text) = self.settings.get(setting.key) {
                form.set(setting, text.as_str());
                form.heads_typed |= setting.group == Group::Heads;
            }
        }
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
            question: None,
            ..address.clone()
        };
        let text = |address: &Self| address.question.as_ref().map(|question| question.text.clone());
        kind(self) != kind(next)
            || text(self) != text(next)
            || views::is_step(&self.view, &next.view)
            || ran && settings(self) != settings(next)
    }
}

/// What has been read of a query so far.
#[derive(Default)]
struct Reader {
    address: Address,
    model: Option<String>,
    url: Option<String>,
    tab: Tab,
    question: Question,
    seen: BTreeSet<String>,
    series: usize,
    bytes: usize,
}

impl Reader {
    fn take(&mut self, key: &str, value: &str) -> Result<()> {
        if !is_key(key) {
            return Ok(());
        }
        self.bytes += value.len();
        if self.bytes > MAX_TEXTS {
            return Err(error(format!("the address is too long at \"{key}\""))
                .expected(format!("at most {MAX_TEXTS} bytes of text")));
        }
        if views::may_repeat(key) {
            self.series += 1;
            if self.series > MAX_REPEATED {
                return Err(error(format!("the address has too many values of \"{key}\""))
                    .expected(format!("at most {} series", MAX_REPEATED)));
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
            PROMPTS => {
                let choice = PromptChoice::ALL.into_iter().find(|choice| choice.value() == value);
                address.prompts = match choice.ok_or_else(|| wrong(key, value, "ioi or own"))? {
                    PromptChoice::Ioi => Prompts::Ioi,
                    PromptChoice::Own => Prompts::Own(None),
                };
            }
            place::TAB => self.tab = Tab::of_value(value)?,
            _ if place::is_key(key) => place::take(&mut self.question, key, value)?,
            _ if views::is_key(key) => views::take(&mut address.view, key, value)?,
            _ => {
                if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) {
                    let checked = setting.checked(value);
                    let text = checked.map_err(|error| wrong(key, value, error.expected))?;
                    address.settings.insert(setting.key, text);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Address> {
        let mut address = self.address;
        address.model = Model::read(self.model.as_deref(), self.url)?;
        if self.tab == Tab::Sentence {
            let settings = &address.settings;
            return Ok(Address {
                model: address.model,
                question: Some(Question {
                    head: settings.get(HEAD.key).and_then(|text| text.parse().ok()),
                    prepend_bos: settings.get(PREPEND_BOS.key).is_some_and(|text| text == "1"),
                    ..self.question
                }),
                view: address.view,
                ..Address::default()
            });
        }
        let usual = address.usual();
        if let Some(key) = address.settings.keys().find(|key| {
            SETTINGS
                .iter()
                .any(|setting| setting.key == **key && !usual.has(setting))
        }) {
            return Err(
                error(format!("the address has \"{key}\" for other prompts")).expected(match usual.prompts {
                    PromptChoice::Ioi => "\"prompts=own\" with it",
                    PromptChoice::Own => "no \"prompts=own\" with it",
                }),
            );
        }
        if let Some((head, earlier)) = address.heads().filter(|(head, earlier)| earlier.layer >= head.layer) {
            let expected = format!("a head of a layer before that of {head}");
            return Err(wrong(EARLIER_HEAD.key, &earlier.to_string(), expected));
        }
        address.drop_usual();
        if address.model == Model::Recorded {
            let is_usual = |setting: &Setting| {
                address
                    .settings
                    .get(setting.key)
                    .is_none_or(|text| text == setting.usual)
            };
            if address.prompts != Prompts::Ioi || !SETTINGS.iter().all(is_usual) {
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
    ["v", "model", "url", PROMPTS].contains(&key)
        || SETTINGS.iter().any(|setting| setting.key == key)
        || place::is_key(key)
        || views::is_key(key)
}

/// The prompts in what follows `#`, with or without it; None where it is about something else.
fn prompts_in(fragment: &str) -> Option<String> {
    value_of(fragment, PROMPTS)
}

/// Whether `fragment` holds what a reader has typed: prompts or a sentence.
pub fn is_typed(fragment: &str) -> bool {
    prompts_in(fragment).is_some() || place::sentence_in(fragment).is_some()
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
