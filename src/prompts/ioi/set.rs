//! Which prompts of the IOI dataset a run draws.

use serde::{Deserialize, Serialize};

use super::Drawing;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;
use crate::prompts::Prompt;
use crate::prompts::maker::{Entry, Maker};
use crate::quantities::grouped;

/// Limit of the batches of one run.
pub const MAX_BATCHES: usize = 1000;
/// Limit of the prompts of one batch.
pub const MAX_BATCH_SIZE: usize = 1000;

/// Limit of the prompts of one run, such that its result file can still be opened.
pub const MAX_PROMPTS: usize = 50_000;

/// The prompts drawn by a run.
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
    /// The notebook's set.
    fn default() -> Self {
        Self {
            seed: 0,
            batches: 30,
            batch_size: 40,
            prepend_bos: false,
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
}

impl Maker for IoiSet {
    type Entry = Self;

    fn check(&self) -> Result<()> {
        let count = |name: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                let error = Error::new(ErrorKind::Request, format!("{name} is {value}"));
                Err(error.expected(format!("a number from 1 to {most}")))
            }
        };
        count("the number of batches", self.batches, MAX_BATCHES)?;
        count("the batch size", self.batch_size, MAX_BATCH_SIZE)?;
        if self.count() > MAX_PROMPTS {
            let (batches, size) = (grouped(self.batches), grouped(self.batch_size));
            let cause = format!("{batches} x {size} are {} prompts", grouped(self.count()));
            return Err(Error::new(ErrorKind::Request, cause)
                .expected(format!("at most {} in all", grouped(MAX_PROMPTS)))
                .advice(
                    "The result file of more could not be opened again: run fewer, or several times with other seeds.",
                ));
        }
        match self.seed.checked_add(self.batches as u64) {
            Some(_) => Ok(()),
            None => {
                let cause = format!("the seed {} is too large", self.seed);
                Err(Error::new(ErrorKind::Request, cause).advice("Choose a smaller seed."))
            }
        }
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
        self.batches
    }

    fn empty(&self) -> Self {
        Self { batches: 0, ..*self }
    }

    async fn make(
        &self,
        tokenizer: &Tokenizer,
        _n_ctx: usize,
        mut before_each: impl AsyncFnMut() -> Result<()>,
    ) -> Result<(Vec<Vec<Prompt>>, Self)> {
        let drawing = Drawing::new(tokenizer)?;
        let mut batches = Vec::with_capacity(self.batches);
        for seed in self.seed..self.seed + self.batches as u64 {
            before_each().await?;
            let batch = drawing.batch(tokenizer, seed, self.batch_size, self.prepend_bos)?;
            batches.push(batch.prompts.into_iter().map(Into::into).collect());
        }
        Ok((batches, *self))
    }
}

impl Entry for IoiSet {
    type Maker = Self;

    fn asked(&self) -> Self {
        *self
    }

    fn count(&self) -> usize {
        Self::count(self)
    }

    fn add_batch(&mut self, _prompts: usize) {
        self.batches += 1;
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
