//! The controls of the page, and their validation before a run.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::analysis::settings::{
    BATCH_SIZE, BATCHES, EARLIER_HEAD, ENGINE, Group, HEAD, INTERVENTION, SETTINGS, Setting,
};
use crate::checkpoint::{HUB_MODELS, check_for_page, hub_url, is_on_hub, model_url};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::ModelCard;
use crate::names::{EngineChoice, Head};
use crate::prompts::PromptSource;
use crate::prompts::ioi::MAX_PROMPTS;
use crate::prompts::text::TextPrompts;
use crate::quantities::{counted, grouped};

/// The choice of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// The recorded run of GPT-2 small: nothing is computed.
    #[default]
    Recorded,
    /// The small trained model that ships with the page.
    Bundled,
    /// A published GPT-2 checkpoint, by name.
    Hub,
    /// A checkpoint's folder at any URL.
    Url,
    /// A checkpoint in local files.
    Picked,
}

impl ModelChoice {
    /// All choices, in display order.
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

    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Recorded => "GPT-2 small, recorded run",
            Self::Bundled => "Tiny model, bundled",
            Self::Hub => "GPT-2 from the model hub",
            Self::Url => "Checkpoint at a URL",
            Self::Picked => "Checkpoint on this device",
        }
    }

    /// Whether it needs computing.
    pub fn is_computed(self) -> bool {
        self != Self::Recorded
    }

    /// The choice whose `<option>` has `value`.
    pub fn of_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.value() == value)
    }
}

/// The choice of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PromptChoice {
    /// Drawn from the IOI dataset.
    #[default]
    Ioi,
    /// The user's own.
    Own,
}

impl PromptChoice {
    /// All choices, in display order.
    pub const ALL: [Self; 2] = [Self::Ioi, Self::Own];

    /// The value in forms and URLs.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Ioi => "ioi",
            Self::Own => "own",
        }
    }

    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ioi => "IOI prompts",
            Self::Own => "My own prompts",
        }
    }
}

/// The text of every control as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The model.
    pub model: ModelChoice,
    /// URL prefix, for [`ModelChoice::Url`].
    pub url: String,
    /// Name of the model, for [`ModelChoice::Hub`].
    pub hub: String,
    /// The revision; empty for the pinned commit.
    pub revision: String,
    /// The worker's URL of local files, for [`ModelChoice::Picked`]; empty if there are none.
    pub picked: String,
    /// The prompts.
    pub prompts: PromptChoice,
    /// The user's own prompts, for [`PromptChoice::Own`].
    pub own: String,
    /// The text of every setting, by key.
    pub(super) settings: BTreeMap<&'static str, String>,
    /// Whether the user has edited the heads since the model was chosen: then they are kept.
    pub heads_typed: bool,
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
            prompts: PromptChoice::Ioi,
            own: String::new(),
            settings: SETTINGS
                .iter()
                .map(|setting| (setting.key, setting.usual.to_owned()))
                .collect(),
            heads_typed: false,
        }
    }
}

/// A validated form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Absolute URL of the checkpoint's folder.
    pub url: String,
    /// The settings of the run.
    pub analysis: Analysis,
}

impl Form {
    /// Keeps what an address does not contain from `old`: input for models that are not selected, the user's own
    /// prompts and, with `keep_settings` (the address is about a sentence), choice of prompts, settings and heads.
    pub fn keep_typed(&mut self, old: &Self, keep_settings: bool) {
        self.picked.clone_from(&old.picked);
        if self.own.is_empty() {
            self.own.clone_from(&old.own);
        }
        if self.model != ModelChoice::Url {
            self.url.clone_from(&old.url);
        }
        if self.model != ModelChoice::Hub {
            self.hub.clone_from(&old.hub);
            self.revision.clone_from(&old.revision);
        }
        if keep_settings && self.model == old.model {
            self.prompts = old.prompts;
            self.settings.clone_from(&old.settings);
            self.heads_typed = old.heads_typed;
        }
    }

    /// The text of `setting`.
    pub fn text(&self, setting: &Setting) -> &str {
        self.settings.get(setting.key).map_or("", String::as_str)
    }

    /// The engine, if its text is valid; otherwise the default.
    pub fn engine(&self) -> EngineChoice {
        self.text(&ENGINE).parse().unwrap_or_default()
    }

    /// Sets the text of `setting`.
    pub fn set(&mut self, setting: &Setting, text: impl Into<String>) {
        self.settings.insert(setting.key, text.into());
    }

    /// Whether runs with these prompts have `setting`.
    pub fn has(&self, setting: &Setting) -> bool {
        match setting.group {
            Group::Ioi => self.prompts == PromptChoice::Ioi,
            Group::Text => self.prompts == PromptChoice::Own,
            Group::Heads
            | Group::Prompts
            | Group::Vectors
            | Group::Intervention
            | Group::More
            | Group::Weights
            | Group::Engine => true,
        }
    }

    /// Changes the model and sets the defaults for it. Typed URLs, hub names and files are kept, and so are the user's
    /// own prompts.
    pub fn choose(&mut self, model: ModelChoice) {
        let old = std::mem::take(self);
        let of_texts = |setting: &&Setting| setting.group == Group::Text;
        for setting in SETTINGS.iter().filter(of_texts) {
            self.set(setting, old.text(setting));
        }
        *self = Self {
            model,
            url: old.url,
            hub: old.hub,
            revision: old.revision,
            picked: old.picked,
            prompts: old.prompts,
            own: old.own,
            ..std::mem::take(self)
        };
        if model == ModelChoice::Bundled {
            self.set(&BATCHES, "10");
        }
    }

    /// Sets initial heads that the selected hub model has (the shapes of published models are known), unless the user
    /// has edited the heads.
    pub fn set_heads_of_hub_model(&mut self) {
        let known = HUB_MODELS.iter().find(|model| model.name == self.hub);
        if let Some(known) = known.filter(|_| self.model == ModelChoice::Hub && !self.heads_typed) {
            let has = |head: Head| head.layer < known.layers && head.head < known.heads;
            self.replace_missing_heads(has, (known.layers, known.heads));
        }
    }

    /// Replaces initial heads that the model does not have, according to `has`, by the last head of its last layer and
    /// the last head of the layer before.
    fn replace_missing_heads(&mut self, has: impl Fn(Head) -> bool, (layers, heads): (usize, usize)) {
        let fits = |text: &str| text.parse::<Head>().is_ok_and(&has);
        if fits(self.text(&HEAD)) && fits(self.text(&EARLIER_HEAD)) {
            return;
        }
        let (layer, head) = (layers.saturating_sub(1), heads.saturating_sub(1));
        self.set(&HEAD, Head::new(layer, head).to_string());
        self.set(&EARLIER_HEAD, Head::new(layer.saturating_sub(1), head).to_string());
    }

    /// The number of prompts to draw, and its limit; None for the user's own prompts, and for invalid input.
    pub fn prompt_count_text(&self) -> Option<String> {
        let number = |setting| self.text(setting).trim().parse::<usize>().ok();
        let count = number(&BATCHES)?.saturating_mul(number(&BATCH_SIZE)?);
        (self.prompts == PromptChoice::Ioi).then(|| {
            format!(
                "{} of at most {}: the result file of more could not be opened again.",
                counted(count, "prompt", "prompts"),
                grouped(MAX_PROMPTS)
            )
        })
    }

    /// The URL that the typed text is interpreted as, if it differs.
    pub fn interpreted_url(&self) -> Option<String> {
        let typed = self.url.trim().trim_end_matches('/');
        model_url(typed).ok().flatten().filter(|url| url != typed)
    }

    /// Whether the selected model is on the hub, where nothing is requested without the user's consent.
    pub fn is_on_hub(&self) -> bool {
        match self.model {
            ModelChoice::Hub => true,
            ModelChoice::Url => model_url(&self.url).is_ok_and(|url| url.as_deref().is_some_and(is_on_hub)),
            ModelChoice::Recorded | ModelChoice::Bundled | ModelChoice::Picked => false,
        }
    }

    /// Sets the initial heads of the model's card, unless the user has edited the heads. Without a card, heads that the
    /// model does not have become the last head of its last layer, and the last head of the layer before.
    pub fn set_heads_of_model(&mut self, config: &Config, card: Option<&ModelCard>) {
        if self.heads_typed {
            return;
        }
        match card {
            Some(card) => {
                self.set(&HEAD, card.head.to_string());
                self.set(&EARLIER_HEAD, card.earlier_head.to_string());
            }
            None => self.replace_missing_heads(|head| config.check_head(head).is_ok(), (config.n_layer, config.n_head)),
        }
    }

    /// The URL of the selected model. `bundled` is the absolute URL of the bundled model's folder. `resolve` makes an
    /// absolute URL of the typed text, which may be relative, such as "./models/own" (None where that is impossible).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where no model is chosen, or its control does not hold what it should.
    pub fn checkpoint_url(&self, bundled: &str, resolve: impl Fn(&str) -> Option<String>) -> Result<String> {
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

    /// Validates every control; `bundled` and `resolve` as in [`Form::checkpoint_url`].
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first control with an invalid value.
    pub fn request(&self, bundled: &str, resolve: impl Fn(&str) -> Option<String>) -> Result<Request> {
        let url = self.checkpoint_url(bundled, resolve)?;
        let mut analysis = Analysis::default();
        if self.prompts == PromptChoice::Own {
            analysis.prompts = PromptSource::Text(TextPrompts {
                text: self.own.clone(),
                ..TextPrompts::default()
            });
        }
        for setting in SETTINGS.iter().filter(|setting| self.has(setting)) {
            let text = setting.checked(self.text(setting));
            text.and_then(|text| setting.put(&mut analysis, &text))
                .map_err(|error| at(setting.label, error))?;
        }
        let Analysis { head, earlier_head, .. } = analysis;
        if earlier_head.layer >= head.layer {
            return Err(Error::new(
                ErrorKind::Request,
                format!("the earlier head {earlier_head} does not come before head {head}"),
            )
            .expected("a head of a lower layer"));
        }
        if let Some(intervention) = &analysis.intervention {
            let checked = intervention.check_before(head);
            checked.map_err(|error| at(INTERVENTION.label, error))?;
        }
        match &analysis.prompts {
            PromptSource::Text(text) => drop(text.check()?),
            drawn => drawn.check()?,
        }
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
        if let Some(url) = model_url(typed)? {
            check_for_page(&url, &resolve("/").unwrap_or_default())?;
            return Ok(url);
        }
        // Any text, such as "not a url", would resolve to a file next to the page.
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

/// Prefixes `error` with the control's name.
fn at(control: &str, mut error: Error) -> Error {
    error.cause = format!("{control}: {}", error.cause);
    error
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
