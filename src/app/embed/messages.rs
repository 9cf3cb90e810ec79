//! The messages between a frame, its host, and the pages opened from the frame.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::figure::Appearance;
use crate::result::MAX_BYTES;

/// The version of the messages, in their field `keyside`.
pub const PROTOCOL: u8 = 1;
/// Limit of the characters of a result's name.
const MAX_NAME: usize = 100;

/// From the frame to its host, and to the pages opened from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToHost {
    /// The frame is ready to receive messages.
    Ready,
    /// The height of its content in CSS pixels.
    Height {
        /// Rounded up.
        height: u32,
    },
    /// The figure is drawn.
    Shown {
        /// The title.
        title: String,
    },
    /// An error, which the frame shows, too.
    Error {
        /// The message.
        message: String,
    },
    /// To a page opened from the frame: the shown result.
    Result {
        /// The name.
        name: String,
        /// The result file's text.
        text: String,
    },
    /// From a page opened from a frame: a request for the shown result.
    Want,
}

impl ToHost {
    /// The message as JSON.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Message<'a> {
            keyside: u8,
            #[serde(flatten)]
            said: &'a ToHost,
        }
        let message = Message {
            keyside: PROTOCOL,
            said: self,
        };
        // Serializing strings and numbers cannot fail.
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Whether it contains nothing confidential, so that it may be sent to a host of unknown origin.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Ready | Self::Height { .. })
    }
}

/// A received message. Fields of a wrong type are None.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Received {
    /// The version.
    pub keyside: Option<f64>,
    /// The field `type`.
    pub kind: Option<String>,
    /// Name of a result.
    pub name: Option<String>,
    /// A result file's text.
    pub text: Option<String>,
    /// Light or dark.
    pub theme: Option<String>,
}

/// To the frame.
#[derive(Debug, Clone, PartialEq)]
pub enum FromHost {
    /// Show this result.
    Result {
        /// The name.
        name: String,
        /// The result file's text, not checked yet.
        text: String,
    },
    /// Use the light, the dark, or the system's theme.
    Theme(Appearance),
    /// From a page opened from the frame: a request for the shown result.
    Want,
}

impl FromHost {
    /// Interprets a message; None where it is of another protocol or an unknown kind.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where a message of this protocol lacks what it needs.
    pub fn read(received: Received) -> Result<Option<Self>> {
        let bad = |cause: &str| Error::new(ErrorKind::Request, cause).advice("See docs/embedding.md for the messages.");
        match (received.keyside, received.kind.as_deref()) {
            (Some(version), Some("result")) if version == f64::from(PROTOCOL) => {
                let text = received.text.ok_or_else(|| {
                    bad("the page around this figure handed over a result without text")
                        .expected("the result file's text, as a string")
                })?;
                if text.len() > MAX_BYTES {
                    return Err(
                        bad("the page around this figure handed over a result that is too large")
                            .expected(format!("at most {} MiB", MAX_BYTES >> 20)),
                    );
                }
                let name = received.name.unwrap_or_default();
                let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
                let name = if name.is_empty() { "this page".to_owned() } else { name };
                Ok(Some(Self::Result { name, text }))
            }
            (Some(version), Some("want")) if version == f64::from(PROTOCOL) => Ok(Some(Self::Want)),
            (Some(version), Some("theme")) if version == f64::from(PROTOCOL) => {
                let theme = received.theme.unwrap_or_default();
                let known = Appearance::ALL.into_iter().find(|known| known.value() == theme);
                known.map(|theme| Some(Self::Theme(theme))).ok_or_else(|| {
                    bad("the page around this figure asked for an unknown theme").expected("system, light or dark")
                })
            }
            _ => Ok(None),
        }
    }
}

/// The parent window, with its origin as soon as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    origin: Option<String>,
}

impl Host {
    /// The host with the origin of the URL, or with an origin to be learned from its first message.
    pub fn new(origin: Option<String>) -> Self {
        Self { origin }
    }

    /// Whether a message is from the host: from the parent window, and always from the same origin.
    pub fn may_say(&self, from_parent: bool, origin: &str) -> bool {
        from_parent && self.origin.as_deref().is_none_or(|known| known == origin)
    }

    /// Notes the origin of a valid message.
    pub fn has_spoken(&mut self, origin: &str) {
        self.origin.get_or_insert_with(|| origin.to_owned());
    }

    /// The target origin for `message`; None if it must not be sent, because the recipient is unknown.
    pub fn target(&self, message: &ToHost) -> Option<&str> {
        match self.origin.as_deref() {
            // A host with an opaque origin cannot be addressed.
            None | Some("null") => message.is_plain().then_some("*"),
            known => known,
        }
    }
}
