//! Parses an address key by key.

use std::collections::BTreeSet;

use super::model::{MAX_URL, Model};
use super::state::{Address, Prompts};
use super::tab::{TAB, Tab};
use super::{place, views};
use crate::analysis::pair::Question;
use crate::analysis::settings::{EARLIER_HEAD, EXACT_LN, HEAD, PREPEND_BOS, SETTINGS, Setting};
use crate::app::form::PromptChoice;
use crate::app::steps::StoryStep;
use crate::error::Result;
use crate::figure::keys::{MAX_REPEATED, error, line, wrong};
use crate::names::Normalization;

/// The version of the keys, under `v`.
pub(super) const VERSION: &str = "1";
/// The key of the prompts: in the query, whose prompts; in the fragment, the prompts themselves.
pub(super) const PROMPTS: &str = "prompts";
/// Limit of the bytes of all texts together, without percent-encoding.
pub(super) const MAX_TEXTS: usize = 12 << 10;

/// The state of the parser.
#[derive(Default)]
pub(super) struct Reader {
    address: Address,
    model: Option<String>,
    url: Option<String>,
    tab: Option<Tab>,
    step: Option<StoryStep>,
    /// Whether there is any key besides those for the appearance.
    says_more: bool,
    question: Question,
    seen: BTreeSet<String>,
    series: usize,
    bytes: usize,
}

impl Reader {
    /// Handles `value` of `key`, one of the page's keys.
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<()> {
        self.says_more |= !views::is_appearance(key);
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
            TAB => self.tab = Some(Tab::of_value(value)?),
            place::STEP => self.step = Some(place::step_of(value)?),
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

    /// The address, after all keys have been handled.
    pub(super) fn finish(self) -> Result<Address> {
        let mut address = self.address;
        address.model = Model::read(self.model.as_deref(), self.url)?;
        // Old links, from before there was a story, have no tab.
        let usual = if self.says_more { Tab::Prompts } else { Tab::Story };
        let tab = self.tab.unwrap_or(usual);
        if tab == Tab::Story {
            return Ok(Address {
                step: Some(self.step.unwrap_or_default()),
                view: address.view,
                ..Address::default()
            });
        }
        if tab == Tab::Sentence {
            let settings = &address.settings;
            let is_on = |setting: &Setting| settings.get(setting.key).is_some_and(|text| text == "1");
            return Ok(Address {
                model: address.model,
                question: Some(Question {
                    head: settings.get(HEAD.key).and_then(|text| text.parse().ok()),
                    prepend_bos: is_on(&PREPEND_BOS),
                    normalization: Normalization::of(is_on(&EXACT_LN)),
                    ..self.question
                }),
                step: self.step,
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
