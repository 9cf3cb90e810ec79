//! Where the prompts of a run come from.

use serde::{Deserialize, Serialize};

use super::text::TextPrompts;
use crate::error::{Error, ErrorKind, Result};

/// Where the prompts of a run come from, by maker. In a result file `{"maker": "ioi", "seed": 0, ...}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "maker", rename_all = "snake_case")]
pub enum PromptSet {
    /// Drawn from the dataset of [`crate::prompts::ioi`].
    Ioi(IoiSet),
    /// Written by a reader: [`crate::prompts::text`]. The texts themselves are the prompts of the result.
    Text(TextSet),
}

/// Which prompts were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoiSet {
    /// Seed of the first batch; batch `i` has seed `seed + i`.
    pub seed: u64,
    /// Number of batches.
    pub batches: usize,
    /// Prompts per batch.
    pub batch_size: usize,
    /// Whether prompts start with BOS.
    pub prepend_bos: bool,
}

impl Default for IoiSet {
    /// The notebook's.
    fn default() -> Self {
        Self {
            seed: 0,
            batches: 30,
            batch_size: 40,
            prepend_bos: false,
        }
    }
}

/// Which texts were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSet {
    /// Number of prompts.
    pub prompts: usize,
    /// Whether prompts start with BOS.
    pub prepend_bos: bool,
    /// Seed of the random tokens that were drawn with them.
    pub seed: u64,
    /// What is to be known of them, such as marked words that are several tokens. Sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl TextSet {
    /// That `prompts` prompts of `text` were read, of which `notes` are to be known.
    pub fn of(text: &TextPrompts, prompts: usize, notes: Vec<String>) -> Self {
        Self {
            prompts,
            prepend_bos: text.prepend_bos,
            seed: text.seed,
            notes,
        }
    }
}

impl PromptSet {
    /// The drawn prompts, if they were.
    pub fn ioi(&self) -> Option<&IoiSet> {
        match self {
            Self::Ioi(set) => Some(set),
            Self::Text(_) => None,
        }
    }

    /// What is to be known of the prompts: sentences.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Ioi(_) => &[],
            Self::Text(set) => &set.notes,
        }
    }

    /// Number of prompts.
    pub fn count(&self) -> usize {
        match self {
            Self::Ioi(set) => set.count(),
            Self::Text(set) => set.prompts,
        }
    }

    /// Checks that there are prompts, and that each can have been made.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] where there are none, more than can be counted, or seeds that are too large.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Ioi(set) => set.check(),
            Self::Text(TextSet { prompts: 0, .. }) => {
                Err(Error::new(ErrorKind::ResultFile, "there are no prompts").expected("at least one"))
            }
            Self::Text(_) => Ok(()),
        }
    }
}

impl IoiSet {
    /// Number of prompts.
    pub fn count(&self) -> usize {
        self.batches.saturating_mul(self.batch_size)
    }

    /// Seed of the last batch.
    pub fn last_seed(&self) -> u64 {
        self.seed.saturating_add((self.batches.max(1) - 1) as u64)
    }

    fn check(&self) -> Result<()> {
        let Self {
            seed,
            batches,
            batch_size,
            ..
        } = *self;
        let error = |cause: String| Error::new(ErrorKind::ResultFile, cause);
        if batches.checked_mul(batch_size).is_none_or(|count| count == 0) {
            return Err(error(format!("batches is {batches} and batch_size {batch_size}")).expected("both at least 1"));
        }
        if seed.checked_add(batches as u64).is_none() {
            return Err(error(format!("seed {seed} is too large for {batches} batches"))
                .expected("that every batch has a seed"));
        }
        Ok(())
    }
}
