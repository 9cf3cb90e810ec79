//! The model in a URL.

use crate::app::form::{Form, ModelChoice};
use crate::checkpoint::{HUB_MODELS, hub_url};
use crate::error::Result;
use crate::figure::keys::{Query, line, wrong};

/// Limit of a model URL's length in bytes.
pub(super) const MAX_URL: usize = 2 << 10;

/// The model in a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Model {
    /// The recorded run.
    #[default]
    Recorded,
    /// The model that ships with the page.
    Bundled,
    /// A published GPT-2 checkpoint.
    Hub {
        /// The short name, one of [`HUB_MODELS`].
        name: String,
        /// The revision; empty for the pinned commit.
        revision: String,
    },
    /// The folder's URL as typed by the user; empty where nothing is typed yet.
    Url(String),
    /// Local files, which a link cannot hold.
    Picked,
}

impl Model {
    /// The model of `form`, as far as a URL can express it.
    pub(super) fn of(form: &Form) -> Self {
        match form.model {
            ModelChoice::Recorded => Self::Recorded,
            ModelChoice::Bundled => Self::Bundled,
            ModelChoice::Hub => Self::hub(&format!("{}@{}", form.hub.trim(), form.revision.trim()))
                .or_else(|_| Self::hub(form.hub.trim()))
                .unwrap_or_default(),
            ModelChoice::Url => Self::Url(line("url", form.url.trim(), MAX_URL).unwrap_or_default()),
            ModelChoice::Picked => Self::Picked,
        }
    }

    /// The corresponding choice in the form.
    pub(super) fn choice(&self) -> ModelChoice {
        match self {
            Self::Recorded => ModelChoice::Recorded,
            Self::Bundled => ModelChoice::Bundled,
            Self::Hub { .. } => ModelChoice::Hub,
            Self::Url(_) => ModelChoice::Url,
            Self::Picked => ModelChoice::Picked,
        }
    }

    /// Reads the values of the keys `model` and `url`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a model that does not exist.
    pub(super) fn read(model: Option<&str>, url: Option<String>) -> Result<Self> {
        Ok(match model {
            None | Some("recorded") => Self::Recorded,
            Some("bundled") => Self::Bundled,
            Some("url") => Self::Url(url.unwrap_or_default().trim().to_owned()),
            Some("picked") => Self::Picked,
            Some(other) => match other.strip_prefix("hub:") {
                Some(name) => Self::hub(name)?,
                None => return Err(wrong("model", other, "recorded, bundled, hub:NAME, url or picked")),
            },
        })
    }

    /// Writes them.
    pub(super) fn write(&self, query: &mut Query) {
        match self {
            Self::Recorded => {}
            Self::Bundled => query.add("model", "bundled"),
            Self::Hub { name, revision } if revision.is_empty() => query.add("model", &format!("hub:{name}")),
            Self::Hub { name, revision } => query.add("model", &format!("hub:{name}@{revision}")),
            Self::Url(url) => {
                query.add("model", "url");
                query.given("url", Some(url).filter(|url| !url.is_empty()).cloned());
            }
            Self::Picked => query.add("model", "picked"),
        }
    }

    /// A model of the hub by what follows `hub:`.
    fn hub(value: &str) -> Result<Self> {
        let (name, revision) = value.split_once('@').unwrap_or((value, ""));
        let known = HUB_MODELS.iter().any(|model| model.name == name);
        if !known || revision.len() > 100 || revision.trim() != revision || hub_url(name, revision).is_err() {
            let names: Vec<&str> = HUB_MODELS.iter().map(|model| model.name).collect();
            let expected = format!("hub:NAME or hub:NAME@REVISION with one of {}", names.join(", "));
            return Err(wrong("model", &format!("hub:{value}"), expected));
        }
        Ok(Self::Hub {
            name: name.to_owned(),
            revision: revision.to_owned(),
        })
    }
}
