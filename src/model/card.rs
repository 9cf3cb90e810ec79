//! The model card: what a checkpoint tells the page's users about itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::Head;

/// The optional field `keyside` of `config.json`: a name, a remark, and initial heads.
///
/// It is part of `config.json` because that file is read anyway: requesting a file that most checkpoints don't have
/// would log a failed request in the browser's console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Display name of the model.
    pub name: String,
    /// A remark for users, a sentence or two.
    pub note: String,
    /// The initial destination head.
    pub head: Head,
    /// The initial earlier head.
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
