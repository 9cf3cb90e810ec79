//! What a checkpoint says of itself to readers of the page.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::Head;

/// The optional field `keyside` of `config.json`: a name, a word of caution, and the heads to start with.
///
/// It sits in `config.json` because that file is read anyway: asking for a file that most checkpoints
/// don't have would put a failed request into the browser's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The model's name for people.
    pub name: String,
    /// What a reader should know of it, a sentence or two.
    pub note: String,
    /// The destination head to start with.
    pub head: Head,
    /// The earlier head to start with.
    pub earlier_head: Head,
}

impl ModelCard {
    /// Reads the field `keyside` of `config.json`; None where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is there but is not a card of a model with this `config`.
    pub fn from_config_json(bytes: &[u8], config: &Config) -> Result<Option<Self>> {
        let wrong = |cause: &dyn std::fmt::Display| {
            Error::new(
                ErrorKind::Config,
                format!("the field keyside of config.json can't be used ({cause})"),
            )
            .expected("name, note, head and earlier_head, or no such field")
        };
        let mut value: Value = serde_json::from_slice(bytes).map_err(|cause| wrong(&cause))?;
        let Some(card) = value.get_mut("keyside").map(Value::take).filter(|card| !card.is_null()) else {
            return Ok(None);
        };
        let card: Self = serde_json::from_value(card).map_err(|cause| wrong(&cause))?;
        for head in [card.head, card.earlier_head] {
            config.check_head(head).map_err(|cause| wrong(&cause.cause))?;
        }
        Ok(Some(card))
    }
}
