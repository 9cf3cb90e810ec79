//! The error type: what went wrong, what was expected, what to do.
//!
//! It is plain data, so that the same error is printed by the command line, sent from the worker to the page, and shown
//! there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `std::result::Result` with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What an [`Error`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A setting of the run: head, batch size, number of batches.
    Request,
    /// A prompt that does not fit the tokenizer or the context.
    Prompt,
    /// One of the two tokens whose logits are compared.
    Target,
    /// `config.json`.
    Config,
    /// `model.safetensors`: header, offsets, dtypes, shapes.
    Checkpoint,
    /// `tokenizer.json`.
    Tokenizer,
    /// Reading or writing bytes: file system or network.
    Source,
    /// A file of a model that does not exist.
    Missing,
    /// A model whose files changed while it was being read.
    Changed,
    /// The browser's storage.
    Storage,
    /// Memory.
    Memory,
    /// A result file.
    ResultFile,
    /// Drawing a figure.
    Plot,
    /// The compute engine: a GPU that does not exist or has failed.
    Engine,
    /// The run was cancelled.
    Cancelled,
    /// An internal failure that no input should be able to cause.
    Internal,
}

/// Limit of the bytes of a cause or expectation.
const LONGEST: usize = 1000;

/// What went wrong, what was expected, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What it is about.
    pub kind: ErrorKind,
    /// The cause, naming the file, field or value: "head 12.0 does not exist".
    pub cause: String,
    /// What was expected instead: "a layer from 0 to 11". May be empty.
    pub expected: String,
    /// Advice for the user: "Choose a lower layer." May be empty.
    pub advice: String,
}

impl Error {
    /// An error of `kind` with its cause; see [`Error::expected`] and [`Error::advice`].
    pub fn new(kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self {
            kind,
            cause: one_line(cause.into()),
            expected: String::new(),
            advice: String::new(),
        }
    }

    /// The same error with what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = one_line(expected.into());
        self
    }

    /// The same error with advice, a sentence.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// The same error about the content of a result file: a file may hold settings that a request could not have.
    #[must_use]
    pub fn into_result_file_error(self) -> Self {
        Self {
            kind: ErrorKind::ResultFile,
            ..self
        }
    }

    /// The error of a run that was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "the run was cancelled")
    }
}

/// `text` in a single line of limited length: messages quote input, which may contain anything.
fn one_line(text: String) -> String {
    if text.len() <= LONGEST && !text.contains(char::is_control) {
        return text;
    }
    let shown = if text.len() <= LONGEST {
        text.as_str()
    } else {
        &text[..text.floor_char_boundary(LONGEST)]
    };
    let mut line: String = shown.replace(char::is_control, " ");
    if shown.len() < text.len() {
        line.push('\u{2026}');
    }
    line
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        if !self.expected.is_empty() {
            write!(f, "; expected {}", self.expected)?;
        }
        f.write_str(".")?;
        if !self.advice.is_empty() {
            write!(f, " {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::new(ErrorKind::Internal, format!("a tensor operation failed: {error}"))
            .advice("Please report this with the model and the settings that led to it.")
    }
}
