//! The page's state as the query of its address: a link shows what its sender saw.
//!
//! The query is short: a setting that is as [`Address::default`] has it is left out. Without a query the story is open. What comes from a link is checked
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
//! | `x`, `y` | the series along both axes of the scatter: `keys_fixed_scores:W_U[IO]` |
//! | `sort`, `descending` | the series that prompts are listed by, 1 where the greatest comes first |
//! | `of`, `least`, `most`, `group` | a series and the values of it that are listed; the kind of prompts that is: `order,0` |
//! | `prompt` | number of the picked prompt, counted from 0 |
//! | `tab` | `story`, `sentence` (one sentence is looked at; `head` and `bos` are then of that) or `prompts` |
//! | `step` | which step of the story is open, or was left for the sentence |
//! | `query`, `key`, `minus` | positions of the pair, and what its score is relative to |
//! | `side`, `measure` | whose writers are shown, what the map of heads shows |
//! | `theme`, `text` | `light` or `dark`; 0 where the explanations are hidden |
//!
//! The reader's own prompts follow after `#`, under `prompts`, what the texts of listed prompts contain under `find`, a sentence under `text`: what stands there goes to no server. Texts that are longer than
//! [`MAX_PROMPTS`] characters are in no link.

mod fragment;
mod model;
mod place;
mod reader;
mod state;
mod tab;
mod views;

use form_urlencoded::parse;

pub use self::fragment::MAX_PROMPTS;
use self::fragment::{FIND, find_in, value_of};
pub use self::model::Model;
use self::reader::{PROMPTS, Reader, VERSION};
pub use self::state::{Address, Prompts};
pub use self::tab::Tab;
use super::form::{Form, PromptChoice};
use super::steps::StoryStep;
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, Group, SETTINGS};
use crate::error::Result;
use crate::figure::View;
use crate::figure::keys::{Query, error};

/// Limit of the query's length in bytes, with everything written as `%XX`.
const MAX_QUERY: usize = 48 << 10;
impl Address {
    /// The state described by `form`, `view` and, if a sentence is shown, `question`, and the `step` of the story.
    /// Invalid input, and what a link cannot hold, is omitted, so that parsing the address gives the same state.
    pub fn of(form: &Form, view: &View, question: Option<&Question>, step: Option<StoryStep>) -> Self {
        let mut address = Self {
            model: Model::of(form),
            view: views::clean(view),
            question: question.map(place::clean),
            step,
            ..Self::default()
        };
        if address.tab() != Tab::Prompts {
            // The list of prompts does not exist there.
            address.view.scatter.list.text.clear();
        }
        if address.tab() == Tab::Story {
            // The story is about recorded numbers, whatever model is selected.
            address.model = Model::Recorded;
        }
        if address.tab() != Tab::Prompts || address.model == Model::Recorded {
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

    /// Adds the entered sentences, if there are several that fit into a link, and if the current one is among them.
    pub fn with_lines(self, lines: &[String]) -> Self {
        let lines = self
            .question
            .as_ref()
            .and_then(|question| place::lines(question, lines));
        Self {
            lines: lines.unwrap_or_default(),
            ..self
        }
    }

    /// Parses the query of a URL, with or without the question mark. An empty query is [`Address::story`]. A query
    /// without `tab` was written when the page had only one part, "Many prompts".
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] naming the first key with an invalid value.
    pub fn parse(query: &str) -> Result<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > MAX_QUERY {
            return Err(error(format!("the address has {} bytes of settings", query.len()))
                .expected(format!("at most {MAX_QUERY}")));
        }
        let mut read = Reader::default();
        for (key, value) in parse(query.as_bytes()).filter(|(key, _)| is_key(key)) {
            read.take(&key, &value)?;
        }
        read.finish()
    }

    /// Parses a query and the fragment after `#`, which may be anything. The fragment is used only if it contains
    /// prompts and the query says that the prompts are the user's own.
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
        if let (Tab::Prompts, Some(text)) = (address.tab(), find_in(fragment)?) {
            address.view.scatter.list.text = text;
        }
        if let (Some(question), Some(text)) = (&mut address.question, place::sentence_in(fragment)) {
            let count = text.chars().count();
            if count > MAX_PROMPTS {
                return Err(error(format!("the address has a sentence of {count} characters"))
                    .expected(format!("at most {MAX_PROMPTS}")));
            }
            if !text.is_empty() {
                question.target_texts = place::targets_in(fragment);
            }
            question.text = text;
            let lines = place::lines_in(fragment);
            return Ok(address.with_lines(&lines));
        }
        Ok(address)
    }

    /// The fragment, without `#`: the user's own prompts, if they are not too long, and the text filter of the prompt
    /// list.
    pub fn to_fragment(&self) -> Option<String> {
        if let Some(question) = &self.question {
            return place::to_fragment(question, &self.lines);
        }
        let mut fragment = Query::default();
        if let Prompts::Own(Some(text)) = &self.prompts {
            fragment.add(PROMPTS, text);
        }
        let find = &self.view.scatter.list.text;
        fragment.given(FIND, Some(find).filter(|find| !find.is_empty()).cloned());
        Some(fragment.finish()).filter(|fragment| !fragment.is_empty())
    }

    /// The query, without the question mark; empty at the beginning of the story.
    pub fn to_query(&self) -> String {
        if *self == Self::story() {
            return String::new();
        }
        let mut query = Query::default();
        query.add("v", VERSION);
        self.model.write(&mut query);
        place::write(self, &mut query);
        if self.prompts != Prompts::Ioi {
            query.add(PROMPTS, PromptChoice::Own.value());
        }
        for setting in SETTINGS {
            query.given(setting.key, self.settings.get(setting.key).cloned());
        }
        views::write(&self.view, &mut query);
        query.finish()
    }

    /// The form with these settings. Settings that the address leaves open are the model's defaults.
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

    /// Whether the change from here to `next` is a history entry for the "back" button, and not one of many small
    /// changes such as typing or zooming. `ran`: the current settings were run, so that "back" leads to that run.
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
            step: None,
            lines: Vec::new(),
            ..address.clone()
        };
        let text = |address: &Self| address.question.as_ref().map(|question| question.text.clone());
        kind(self) != kind(next)
            || self.tab() != next.tab()
            || text(self) != text(next)
            || views::is_step(&self.view, &next.view)
            || ran && settings(self) != settings(next)
    }
}

fn is_key(key: &str) -> bool {
    ["v", "model", "url", PROMPTS].contains(&key)
        || SETTINGS.iter().any(|setting| setting.key == key)
        || place::is_key(key)
        || views::is_key(key)
}

/// The prompts in a fragment, with or without `#`; None where it contains something else.
fn prompts_in(fragment: &str) -> Option<String> {
    value_of(fragment, PROMPTS)
}

/// Whether `fragment` contains text typed by the user: prompts, a sentence, or a text filter.
pub fn is_typed(fragment: &str) -> bool {
    prompts_in(fragment).is_some() || place::sentence_in(fragment).is_some() || value_of(fragment, FIND).is_some()
}

/// The parts of `query` with unknown keys, unchanged: they belong to someone else.
pub fn others(query: &str) -> String {
    let query = query.strip_prefix('?').unwrap_or(query);
    let foreign = |part: &&str| parse(part.as_bytes()).next().is_some_and(|(key, _)| !is_key(&key));
    let parts: Vec<&str> = query.split('&').filter(foreign).collect();
    parts.join("&")
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
