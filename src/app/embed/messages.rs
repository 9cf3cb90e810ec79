//! What a frame, its host and the pages that were opened from it say to each other.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::figure::Appearance;
use crate::result::MAX_BYTES;

/// The version of the messages, in their field `keyside`.
pub const PROTOCOL: u8 = 1;
/// Longest name of a result that is shown, in characters.
const MAX_NAME: usize = 100;

/// What the frame tells its host, and the pages that were opened from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToHost {
    /// It listens.
    Ready,
    /// Its content is so many CSS pixels high.
    Height {
        /// Rounded up.
        height: u32,
    },
    /// The figure is drawn.
    Shown {
        /// What it is, for people.
        title: String,
    },
    /// Something went wrong; the frame shows the same words.
    Error {
        /// In words.
        message: String,
    },
    /// To a page that was opened from the frame: what the frame shows.
    Result {
        /// What it is called.
        name: String,
        /// The result file's text.
        text: String,
    },
    /// From a page that was opened from a frame: hand over what you show.
    Want,
}

impl ToHost {
    /// As the JSON of the message's object.
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
        // A tree of numbers and text always becomes JSON.
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Whether it says nothing that a page would not know of any frame: then it may go to a host whose origin is unknown.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Ready | Self::Height { .. })
    }
}

/// A message as it came: fields that have another type than they should are None.
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

/// What the frame is told.
#[derive(Debug, Clone, PartialEq)]
pub enum FromHost {
    /// Show this result.
    Result {
        /// What to call it.
        name: String,
        /// The result file's text: not yet checked.
        text: String,
    },
    /// Be light, dark, or as the system has it.
    Theme(Appearance),
    /// Not the host but a page that was opened from the frame: hand over what you show.
    Want,
}

impl FromHost {
    /// Reads a message; None for what is not of this protocol, or of a later kind.
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

/// Who is on the other side: the parent window, and its origin as soon as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    origin: Option<String>,
}

impl Host {
    /// The host that the address names, or one that has yet to speak.
    pub fn new(origin: Option<String>) -> Self {
        Self { origin }
    }

    /// Whether a message is the host's: it must come from the parent window, and always from the same origin.
    pub fn may_say(&self, from_parent: bool, origin: &str) -> bool {
        from_parent && self.origin.as_deref().is_none_or(|known| known == origin)
    }

    /// The host has said something that makes sense.
    pub fn has_spoken(&mut self, origin: &str) {
        self.origin.get_or_insert_with(|| origin.to_owned());
    }

    /// The origin to address `message` to. None: not to be sent, as it is not known who would read it.
    pub fn target(&self, message: &ToHost) -> Option<&str> {
        match self.origin.as_deref() {
            // A host without an origin of its own can't be addressed.
            None | Some("null") => message.is_plain().then_some("*"),
            known => known,
        }
    }
}
