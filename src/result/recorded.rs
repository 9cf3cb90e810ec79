//! Recorded sentences: answers questions without a model.

mod answer;
mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ModelInfo;
use crate::analysis::pair::{NextToken, PairSection, Question};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::model::{Config, Processing};
use crate::names::Head;

/// The value of [`Recording::format`].
pub const RECORDING_FORMAT: &str = "keyside-recording/1";
/// Size limit of recordings: 64 MiB.
pub const MAX_RECORDING_BYTES: usize = 64 << 20;
/// Precision of numbers in a file: four decimals.
const DECIMALS: f64 = 1e4;

const ADVICE: &str = "Choose a file that \"keyside record\" wrote.";

/// Sentences with recorded numbers. Readers ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Always [`RECORDING_FORMAT`].
    pub format: String,
    /// Which model it was.
    pub model: ModelInfo,
    /// The shape.
    pub config: Config,
    /// The weight processing. Scores and probabilities of heads do not depend on it, tables of pairs do.
    #[serde(default)]
    pub processing: Processing,
    /// The source of the numbers and their license. Sentences.
    pub source: String,
    /// The sentences, each once.
    pub sentences: Vec<RecordedSentence>,
}

/// One sentence of a [`Recording`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedSentence {
    /// The sentence.
    pub text: String,
    /// Whether BOS is prepended.
    #[serde(default)]
    pub prepend_bos: bool,
    /// The tokens, BOS included, `[pos]`.
    pub tokens: Vec<u32>,
    /// The texts of the tokens, `[pos]`. Bytes that are not valid UTF-8 are written as `\xE6`.
    pub texts: Vec<String>,
    /// What the numbers of the heads are.
    pub rows: Rows,
    /// For each head its rows one after the other: 1 number for position 0, 2 for position 1, ..., for all positions.
    pub heads: BTreeMap<Head, Vec<f32>>,
    /// By position, the most likely tokens after it, most likely first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub next: BTreeMap<usize, Vec<NextToken>>,
    /// Decomposed scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairSection>,
    /// The initial head. None for the one with the most attention to a single token other than the first and its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Head>,
    /// Remarks on the sentence. Sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What the numbers of a recorded head are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Scores; probabilities are their softmax, row by row.
    Scores,
    /// Probabilities; scores are unknown.
    Probs,
}

/// The field that identifies a recording, read before the rest.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    format: Option<String>,
}

impl Recording {
    /// Reads a file of recorded sentences, and checks that its parts fit each other.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when `bytes` are more than [`MAX_RECORDING_BYTES`], not JSON, of another format, lack a field,
    /// or fail [`Recording::check`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_RECORDING_BYTES {
            return Err(
                error(format!("the file of recorded sentences is {} bytes long", bytes.len()))
                    .expected(format!("at most {MAX_RECORDING_BYTES} (64 MiB)")),
            );
        }
        let misread = |cause| error(format!("the file of recorded sentences can't be read: {cause}"));
        let probe: Probe = json::read(bytes).map_err(misread)?;
        if probe.format.as_deref() != Some(RECORDING_FORMAT) {
            let cause = match probe.format {
                Some(format) => format!("the file has the format \"{format}\""),
                None => "the JSON document has no field \"format\"".to_owned(),
            };
            return Err(error(cause).expected(format!("\"{RECORDING_FORMAT}\"")));
        }
        let recording: Self = json::read(bytes).map_err(misread)?;
        recording.check()?;
        Ok(recording)
    }

    /// The recording as compact JSON; numbers have four decimals at most.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when [`Recording::check`] fails: what is written can be read.
    pub fn to_json(&self) -> Result<String> {
        let mut written = self.clone();
        for sentence in &mut written.sentences {
            sentence.round();
        }
        written.check()?;
        serde_json::to_string(&written)
            .map_err(|cause| error(format!("the recording can't be written as JSON: {cause}")))
    }

    /// The sentence that `question` is about, if it is recorded.
    pub fn sentence(&self, question: &Question) -> Option<&RecordedSentence> {
        self.sentences
            .iter()
            .find(|known| known.text == question.text && known.prepend_bos == question.prepend_bos)
    }
}

impl RecordedSentence {
    /// Rounds every number to four decimals. In a table, the rounding error of a cell is carried over to the next, so
    /// that the cells still sum to the score.
    fn round(&mut self) {
        let round = |value: &mut f32| *value = ((f64::from(*value) * DECIMALS).round() / DECIMALS) as f32;
        self.heads.values_mut().flatten().for_each(round);
        let tokens = self.next.values_mut().flatten();
        tokens.for_each(|next| round(&mut next.logprob));
        for pair in &mut self.pairs {
            let mut lost = 0.0;
            for cell in pair.table.data_mut() {
                let whole = f64::from(*cell) + lost;
                let kept = (whole * DECIMALS).round() / DECIMALS;
                lost = whole - kept;
                *cell = kept as f32;
            }
            round(&mut pair.score);
        }
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::ResultFile, cause).advice(ADVICE)
}

#[cfg(test)]
#[path = "recorded/tests.rs"]
mod tests;
