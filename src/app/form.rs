//! The controls of the page and what they must hold before a run can start.

use crate::analysis::Analysis;
use crate::checkpoint::{check_for_page, hub_url};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ModelCard;
use crate::model::{Config, Processing};
use crate::names::Head;
use crate::prompts::{IoiSet, PromptSource};

/// Most batches, and most prompts per batch, that the page starts a run with.
pub(super) const MOST: usize = 1000;

/// Which model is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// The recorded run of GPT-2 small: nothing is computed.
    #[default]
    Recorded,
    /// The small trained model that ships with the page.
    Bundled,
    /// A published GPT-2 checkpoint, by name.
    Hub,
    /// A checkpoint's folder anywhere on the web.
    Url,
    /// A checkpoint on the reader's own disk.
    Picked,
}

impl ModelChoice {
    /// All choices, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Recorded, Self::Bundled, Self::Hub, Self::Url, Self::Picked];

    /// The value of its `<option>`.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Bundled => "bundled",
            Self::Hub => "hub",
            Self::Url => "url",
            Self::Picked => "picked",
        }
    }

    /// What a reader sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Recorded => "GPT-2 small, recorded run",
            Self::Bundled => "Tiny model, bundled",
            Self::Hub => "GPT-2 from the model hub",
            Self::Url => "Checkpoint at a URL",
            Self::Picked => "Checkpoint on this device",
        }
    }

    /// The choice whose `<option>` has `value`.
    pub fn of_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.value() == value)
    }
}

/// The text of every control, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Which model.
    pub model: ModelChoice,
    /// URL prefix, for [`ModelChoice::Url`].
    pub url: String,
    /// Name of the model, for [`ModelChoice::Hub`].
    pub hub: String,
    /// Revision of it; empty for the known commit.
    pub revision: String,
    /// Address that the worker knows picked files by, for [`ModelChoice::Picked`]; empty when there are none.
    pub picked: String,
    /// Destination head, `L.H`.
    pub head: String,
    /// Earlier head, `L.H`.
    pub earlier_head: String,
    /// Whether the reader has been at the heads since the model was chosen: they are then left as they are.
    pub heads_typed: bool,
    /// Seed of the first batch.
    pub seed: String,
    /// Number of batches.
    pub batches: String,
    /// Prompts per batch.
    pub batch_size: String,
    /// Whether prompts start with BOS.
    pub prepend_bos: bool,
}

impl Default for Form {
    /// The settings of the recorded run.
    fn default() -> Self {
        Self {
            model: ModelChoice::Recorded,
            url: String::new(),
            hub: "gpt2".into(),
            revision: String::new(),
            picked: String::new(),
            head: "10.7".into(),
            earlier_head: "9.9".into(),
            heads_typed: false,
            seed: "0".into(),
            batches: "30".into(),
            batch_size: "40".into(),
            prepend_bos: false,
        }
    }
}

/// A form that has been checked: which checkpoint, and what to analyse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Absolute URL of the checkpoint's folder.
    pub url: String,
    /// What to analyse.
    pub analysis: Analysis,
}

impl Form {
    /// Changes the model and brings the settings that suit it; what was typed, chosen or picked as a model stays.
    pub fn choose(&mut self, model: ModelChoice) {
        let batches = if model == ModelChoice::Bundled { "10" } else { "30" };
        *self = Self {
            model,
            url: std::mem::take(&mut self.url),
            hub: std::mem::take(&mut self.hub),
            revision: std::mem::take(&mut self.revision),
            picked: std::mem::take(&mut self.picked),
            batches: batches.into(),
            ..Self::default()
        };
    }

    /// Takes over the heads to start with from the model's card, unless heads were typed. Without one, heads that the model
    /// does not have become the last head of its last layer, and the last of the layer before.
    pub fn describe(&mut self, config: &Config, card: Option<&ModelCard>) {
        if self.heads_typed {
            return;
        }
        if let Some(card) = card {
            self.head = card.head.to_string();
            self.earlier_head = card.earlier_head.to_string();
            return;
        }
        let fits = |text: &str| text.parse::<Head>().is_ok_and(|head| config.check_head(head).is_ok());
        if !fits(&self.head) || !fits(&self.earlier_head) {
            let (layer, head) = (config.n_layer.saturating_sub(1), config.n_head.saturating_sub(1));
            self.head = Head::new(layer, head).to_string();
            self.earlier_head = Head::new(layer.saturating_sub(1), head).to_string();
        }
    }

    /// Where the chosen model is. `bundled` is the absolute URL of the bundled model's folder, `resolve`
    /// makes an absolute URL of what was typed, which may be relative: "./models/own" (None where that is impossible).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where no model is chosen, or its control does not hold what it should.
    pub fn address(&self, bundled: &str, resolve: impl Fn(&str) -> Option<String>) -> Result<String> {
        match self.model {
            ModelChoice::Recorded => {
                Err(Error::new(ErrorKind::Request, "the recorded run can't be run again")
                    .advice("Choose another model."))
            }
            ModelChoice::Bundled => Ok(bundled.to_string()),
            ModelChoice::Hub => hub_url(&self.hub, &self.revision),
            ModelChoice::Url => self.checked_url(resolve),
            ModelChoice::Picked if self.picked.is_empty() => Err(Error::new(ErrorKind::Request, "no files are picked")
                .expected("config.json, model.safetensors and tokenizer.json of one model")
                .advice("Pick them, or their folder, or drop them on the page.")),
            ModelChoice::Picked => Ok(self.picked.clone()),
        }
    }

    /// Checks every control; `bundled` and `resolve` as in [`Form::address`].
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first control that does not hold what it should.
    pub fn request(&self, bundled: &str, resolve: impl Fn(&str) -> Option<String>) -> Result<Request> {
        let url = self.address(bundled, resolve)?;
        let head: Head = self.head.parse().map_err(|error| at("Head", error))?;
        let earlier_head: Head = self.earlier_head.parse().map_err(|error| at("Earlier head", error))?;
        if earlier_head.layer >= head.layer {
            return Err(Error::new(
                ErrorKind::Request,
                format!("the earlier head {earlier_head} does not come before head {head}"),
            )
            .expected("a head of a lower layer"));
        }
        let analysis = Analysis {
            head,
            earlier_head,
            prompts: PromptSource::Ioi(IoiSet {
                seed: whole("Seed", &self.seed, 0, u64::from(u32::MAX))?,
                batches: count("Batches", &self.batches)?,
                batch_size: count("Batch size", &self.batch_size)?,
                prepend_bos: self.prepend_bos,
            }),
            processing: Processing::default(),
        };
        Ok(Request { url, analysis })
    }

    /// The typed URL as an absolute http(s) URL that the page may read from.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] when it is empty, or not one; those of [`check_for_page`].
    fn checked_url(&self, resolve: impl Fn(&str) -> Option<String>) -> Result<String> {
        let typed = self.url.trim();
        let expected = "the address of a folder with config.json, model.safetensors and tokenizer.json, \
                        such as https://example.org/gpt2";
        if typed.is_empty() {
            return Err(Error::new(ErrorKind::Request, "the model's URL is empty").expected(expected));
        }
        // "not a url" would resolve to a file of that name beside the page.
        let looks_right = ["http://", "https://", "/", "./", "../"]
            .iter()
            .any(|start| typed.starts_with(start));
        let resolved = (looks_right && !typed.contains(char::is_whitespace))
            .then(|| resolve(typed))
            .flatten();
        let url = resolved
            .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
            .ok_or_else(|| {
                Error::new(ErrorKind::Request, format!("\"{typed}\" is not a web address")).expected(expected)
            })?;
        check_for_page(&url, &resolve("/").unwrap_or_default())?;
        Ok(url)
    }
}

/// `error` with the control's name in front.
fn at(control: &str, mut error: Error) -> Error {
    error.cause = format!("{control}: {}", error.cause);
    error
}

fn count(control: &str, text: &str) -> Result<usize> {
    whole(control, text, 1, MOST as u64).map(|number| number as usize)
}

fn whole(control: &str, text: &str, least: u64, most: u64) -> Result<u64> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        Error::new(
            ErrorKind::Request,
            format!("{control}: \"{}\" can't be used", text.trim()),
        )
        .expected(format!("a whole number from {least} to {most}"))
    })
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
