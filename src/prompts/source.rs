//! Where the prompts of a run come from: one of the makers.

use serde::{Deserialize, Serialize};

use super::ioi::Drawing;
use super::text::TextPrompts;
use super::{IoiSet, Prompt, PromptSet, TextSet};
use crate::error::Result;
use crate::model::Tokenizer;

/// Prompts of one batch where the maker has no batches of its own.
const BATCH: usize = 40;

/// What makes the prompts of a run. A new maker is a variant here, and its entry in a result one of [`PromptSet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptSource {
    /// Draws from the IOI dataset.
    Ioi(IoiSet),
    /// Texts that a reader wrote.
    Text(TextPrompts),
}

impl From<IoiSet> for PromptSource {
    fn from(set: IoiSet) -> Self {
        Self::Ioi(set)
    }
}

impl Default for PromptSource {
    fn default() -> Self {
        Self::Ioi(IoiSet::default())
    }
}

/// Prompts that were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The prompts by batch, none of which is empty.
    pub batches: Vec<Vec<Prompt>>,
    /// Where they come from, for the result.
    pub set: PromptSet,
}

impl PromptSource {
    /// The seed of all that is drawn: of the first batch, where there are several draws.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Ioi(set) => set.seed,
            Self::Text(text) => text.seed,
        }
    }

    /// The same, to be changed.
    pub fn seed_mut(&mut self) -> &mut u64 {
        match self {
            Self::Ioi(set) => &mut set.seed,
            Self::Text(text) => &mut text.seed,
        }
    }

    /// Whether prompts start with BOS.
    pub fn prepend_bos(&self) -> bool {
        match self {
            Self::Ioi(set) => set.prepend_bos,
            Self::Text(text) => text.prepend_bos,
        }
    }

    /// The same, to be changed.
    pub fn prepend_bos_mut(&mut self) -> &mut bool {
        match self {
            Self::Ioi(set) => &mut set.prepend_bos,
            Self::Text(text) => &mut text.prepend_bos,
        }
    }

    /// Number of batches; the most there can be where that is known only when the prompts are read.
    pub fn batches(&self) -> usize {
        match self {
            Self::Ioi(set) => set.batches,
            Self::Text(text) => text.most().div_ceil(BATCH),
        }
    }

    /// The entry of a result that has no prompts yet.
    pub fn empty_set(&self) -> PromptSet {
        match self {
            Self::Ioi(set) => PromptSet::Ioi(IoiSet { batches: 0, ..*set }),
            Self::Text(text) => PromptSet::Text(TextSet::of(text, 0, Vec::new())),
        }
    }

    /// Makes the prompts of a model with `tokenizer` and a context of `n_ctx` tokens; `after_each` is called after every batch,
    /// and may stop it.
    ///
    /// # Errors
    /// Those of [`crate::prompts::ioi::draw_batch`] and [`TextPrompts::read`], and `after_each`'s.
    pub async fn make(
        &self,
        tokenizer: &Tokenizer,
        n_ctx: usize,
        mut after_each: impl AsyncFnMut() -> Result<()>,
    ) -> Result<Made> {
        match self {
            Self::Ioi(set) => {
                let drawing = Drawing::new(tokenizer)?;
                let mut batches = Vec::with_capacity(set.batches);
                for seed in set.seed..set.seed + set.batches as u64 {
                    after_each().await?;
                    let batch = drawing.batch(tokenizer, seed, set.batch_size, set.prepend_bos)?;
                    batches.push(batch.prompts.into_iter().map(Into::into).collect());
                }
                let set = PromptSet::Ioi(*set);
                Ok(Made { batches, set })
            }
            Self::Text(text) => {
                after_each().await?;
                let read = text.read(tokenizer, n_ctx)?;
                let set = PromptSet::Text(TextSet::of(text, read.prompts.len(), read.notes));
                let batches = read.prompts.chunks(BATCH).map(<[Prompt]>::to_vec).collect();
                Ok(Made { batches, set })
            }
        }
    }
}
