//! The user's own prompts as a maker.

use serde::{Deserialize, Serialize};

use super::TextPrompts;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;
use crate::prompts::Prompt;
use crate::prompts::maker::{Entry, Maker};

/// Number of prompts per batch.
const BATCH: usize = 40;

/// The entry in a result for the user's own prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSet {
    /// Number of prompts.
    pub prompts: usize,
    /// Whether prompts start with BOS.
    pub prepend_bos: bool,
    /// Seed of the random tokens drawn with them.
    pub seed: u64,
    /// Remarks, such as marked words that consist of several tokens. Sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl TextSet {
    /// For `prompts` prompts of `text`, with `notes` as remarks.
    pub fn of(text: &TextPrompts, prompts: usize, notes: Vec<String>) -> Self {
        Self {
            prompts,
            prepend_bos: text.prepend_bos,
            seed: text.seed,
            notes,
        }
    }
}

impl Maker for TextPrompts {
    type Entry = TextSet;

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn seed_mut(&mut self) -> &mut u64 {
        &mut self.seed
    }

    fn prepend_bos(&self) -> bool {
        self.prepend_bos
    }

    fn prepend_bos_mut(&mut self) -> &mut bool {
        &mut self.prepend_bos
    }

    fn batches(&self) -> usize {
        self.most().div_ceil(BATCH)
    }

    fn empty(&self) -> TextSet {
        TextSet::of(self, 0, Vec::new())
    }

    async fn make(
        &self,
        tokenizer: &Tokenizer,
        n_ctx: usize,
        mut before_each: impl AsyncFnMut() -> Result<()>,
    ) -> Result<(Vec<Vec<Prompt>>, TextSet)> {
        before_each().await?;
        let read = self.read(tokenizer, n_ctx)?;
        let set = TextSet::of(self, read.prompts.len(), read.notes);
        Ok((read.prompts.chunks(BATCH).map(<[Prompt]>::to_vec).collect(), set))
    }
}

impl Entry for TextSet {
    type Maker = TextPrompts;

    fn asked(&self) -> TextPrompts {
        TextPrompts {
            prepend_bos: self.prepend_bos,
            seed: self.seed,
            ..TextPrompts::default()
        }
    }

    fn count(&self) -> usize {
        self.prompts
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn add_batch(&mut self, prompts: usize) {
        self.prompts += prompts;
    }

    fn check(&self) -> Result<()> {
        match self.prompts {
            0 => Err(Error::new(ErrorKind::ResultFile, "there are no prompts").expected("at least one")),
            _ => Ok(()),
        }
    }
}
