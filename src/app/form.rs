//! The controls of the page and what they must hold before a run can start.

use crate::attribution::Analysis;
use crate::error::{Error, ErrorKind, Result};
use crate::gpt2::{Config, Head, Processing};
use crate::worker::ModelCard;

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
    /// A checkpoint's folder anywhere on the web.
    Url,
}

impl ModelChoice {
    /// All choices, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Recorded, Self::Bundled, Self::Url];

    /// The value of its `<option>`.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Bundled => "bundled",
            Self::Url => "url",
        }
    }

    /// What a reader sees.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Recorded => "GPT-2 small, recorded run",
            Self::Bundled => "Small stand-in, bundled",
            Self::Url => "Checkpoint at a URL",
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
    /// Changes the model and brings the settings that suit it; what was typed as URL stays.
    pub fn choose(&mut self, model: ModelChoice) {
        let batches = if model == ModelChoice::Bundled { "10" } else { "30" };
        *self = Self {
            model,
            url: std::mem::take(&mut self.url),
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
        let fits = |text: &str| text.parse::<Head>().is_ok_and(|head| head.check(config).is_ok());
        if !fits(&self.head) || !fits(&self.earlier_head) {
            let (layer, head) = (config.n_layer.saturating_sub(1), config.n_head.saturating_sub(1));
            self.head = Head::new(layer, head).to_string();
            self.earlier_head = Head::new(layer.saturating_sub(1), head).to_string();
        }
    }

    /// Checks every control. `bundled` is the absolute URL of the bundled model's folder, `resolve`
    /// makes an absolute URL of what was typed, which may be relative: "./models/own" (None where that is impossible).
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first control that does not hold what it should.
    pub fn request(&self, bundled: &str, resolve: impl Fn(&str) -> Option<String>) -> Result<Request> {
        let url = match self.model {
            ModelChoice::Recorded => {
                return Err(Error::new(ErrorKind::Request, "the recorded run can't be run again")
                    .advice("Choose the bundled model or a checkpoint at a URL."));
            }
            ModelChoice::Bundled => bundled.to_string(),
            ModelChoice::Url => self.checked_url(resolve)?,
        };
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
            seed: whole("Seed", &self.seed, 0, u64::from(u32::MAX))?,
            batches: count("Batches", &self.batches)?,
            batch_size: count("Batch size", &self.batch_size)?,
            prepend_bos: self.prepend_bos,
            processing: Processing::default(),
        };
        Ok(Request { url, analysis })
    }

    /// The typed URL as an absolute http(s) URL.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] when it is empty, or not one.
    pub fn checked_url(&self, resolve: impl Fn(&str) -> Option<String>) -> Result<String> {
        let typed = self.url.trim();
        let expected = "the address of a folder with config.json, model.safetensors and tokenizer.json, \
                        such as https://huggingface.co/openai-community/gpt2/resolve/main";
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
        resolved
            .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
            .ok_or_else(|| {
                Error::new(ErrorKind::Request, format!("\"{typed}\" is not a web address")).expected(expected)
            })
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
mod tests {
    use super::*;

    const BUNDLED: &str = "http://127.0.0.1:8080/models/stand-in";

    fn bundled() -> Form {
        let mut form = Form::default();
        form.choose(ModelChoice::Bundled);
        form.head = "3.1".into();
        form.earlier_head = "2.0".into();
        form
    }

    fn request(form: &Form) -> Result<Request> {
        form.request(BUNDLED, |typed| typed.contains("://").then(|| typed.to_string()))
    }

    fn cause(form: &Form) -> String {
        request(form).expect_err("must fail").cause
    }

    #[test]
    fn default_settings_suit_the_model() {
        let made = request(&bundled()).expect("a bundled run");
        assert_eq!(made.url, BUNDLED);
        assert_eq!(
            (made.analysis.batches, made.analysis.batch_size, made.analysis.seed),
            (10, 40, 0)
        );
        assert_eq!(made.analysis.head, Head::new(3, 1));

        let mut form = bundled();
        form.url = " https://example.org/gpt2 ".into();
        form.choose(ModelChoice::Url);
        let made = request(&form).expect("a run at a URL");
        assert_eq!(made.url, "https://example.org/gpt2");
        assert_eq!((made.analysis.batches, made.analysis.head), (30, Head::new(10, 7)));
    }

    #[test]
    fn every_control_is_checked_and_named() {
        assert!(cause(&Form::default()).contains("recorded"));
        assert!(
            cause(&Form {
                head: "10".into(),
                ..bundled()
            })
            .starts_with("Head: ")
        );
        assert!(
            cause(&Form {
                earlier_head: "x".into(),
                ..bundled()
            })
            .starts_with("Earlier head: ")
        );
        assert!(
            cause(&Form {
                earlier_head: "3.0".into(),
                ..bundled()
            })
            .contains("does not come before")
        );
        assert!(
            cause(&Form {
                seed: "-1".into(),
                ..bundled()
            })
            .starts_with("Seed: ")
        );
        assert!(
            cause(&Form {
                batches: "0".into(),
                ..bundled()
            })
            .starts_with("Batches: ")
        );
        assert!(
            cause(&Form {
                batch_size: "0".into(),
                ..bundled()
            })
            .starts_with("Batch size: ")
        );
        assert!(
            cause(&Form {
                batch_size: "1.5".into(),
                ..bundled()
            })
            .contains("1.5")
        );
        let url = |url: &str| Form {
            model: ModelChoice::Url,
            url: url.into(),
            ..bundled()
        };
        assert!(cause(&url(" ")).contains("empty"));
        assert!(cause(&url("ftp://example.org")).contains("not a web address"));
        assert!(cause(&url("nonsense")).contains("not a web address"));
        assert!(cause(&url("https://example.org/a b")).contains("not a web address"));
        let resolved = |typed: &str| url(typed).checked_url(|typed| Some(format!("http://here/{typed}")));
        assert!(resolved("not a url").is_err(), "even where it would resolve");
        assert_eq!(resolved("./models/own").expect("relative"), "http://here/./models/own");
    }

    #[test]
    fn a_description_brings_heads_but_never_over_typed_ones() {
        let config = Config {
            n_layer: 4,
            n_head: 8,
            d_model: 128,
            d_mlp: 512,
            d_vocab: 1000,
            n_ctx: 64,
            layer_norm_epsilon: 1e-5,
            bos_token_id: 0,
        };
        let heads = |form: &Form| (form.head.clone(), form.earlier_head.clone());
        let pair = |head: &str, earlier_head: &str| (head.to_string(), earlier_head.to_string());
        let card = ModelCard {
            name: "Stand-in".into(),
            note: String::new(),
            head: Head::new(1, 4),
            earlier_head: Head::new(0, 4),
        };
        let mut form = Form::default();
        form.choose(ModelChoice::Url);
        let mut typed = Form {
            head: "7.9".into(),
            heads_typed: true,
            ..form.clone()
        };
        form.describe(&config, None);
        assert_eq!(heads(&form), pair("3.7", "2.7"), "10.7 is not in this model");
        form.describe(&config, Some(&card));
        assert_eq!(heads(&form), pair("1.4", "0.4"));
        form.describe(&config, None);
        assert_eq!(heads(&form), pair("1.4", "0.4"), "they fit");
        typed.describe(&config, Some(&card));
        assert_eq!(heads(&typed), pair("7.9", "9.9"));
        typed.choose(ModelChoice::Bundled);
        assert!(!typed.heads_typed);
    }

    #[test]
    fn options_have_distinct_values_that_read_back() {
        for choice in ModelChoice::ALL {
            assert_eq!(ModelChoice::of_value(choice.value()), Some(choice));
        }
        assert_eq!(ModelChoice::of_value("other"), None);
    }
}
