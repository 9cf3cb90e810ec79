//! What a sweep asks, and its shards.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::patterns::HeadPattern;
use crate::error::{Error, ErrorKind, Result};
use crate::names::EngineChoice;
use crate::prompts::text::{Format, TextPrompts};
use crate::prompts::{IoiSet, PromptSource};

/// What is asked of every head, model, set of prompts and seed. Two sweeps that ask the same are equal, in whatever order they were
/// listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The version of this program: another one may round otherwise.
    pub keyside: String,
    /// The models, sorted.
    pub models: Vec<SweptModel>,
    /// Which heads of each, sorted.
    pub heads: Vec<HeadPattern>,
    /// The sets of prompts, sorted by name.
    pub prompts: Vec<SweptPrompts>,
    /// The seeds of those that are drawn, sorted.
    pub seeds: Vec<u64>,
    /// Whether prompts begin with BOS.
    pub prepend_bos: bool,
    /// What computes: another engine may round otherwise.
    pub engine: EngineChoice,
    /// What a row is about.
    pub rows: Kind,
}

/// A model of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweptModel {
    /// Its folder or address; of the hub's without a revision.
    pub model: String,
    /// The revision of one on the hub.
    pub revision: Option<String>,
    /// SHA-256 of its configuration and of samples of its weights, where they are at hand: a model that is not what it was is another one.
    pub fingerprint: Option<String>,
}

impl SweptModel {
    /// Where its files are: folder, address, or `hub:NAME@REVISION`.
    pub fn address(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{}@{revision}", self.model),
            None => self.model.clone(),
        }
    }
}

/// A set of prompts of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweptPrompts {
    /// What it is called in rows: "ioi", or the name of a file.
    pub name: String,
    /// What makes it.
    pub of: PromptsOf,
}

/// What makes a set of prompts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptsOf {
    /// The IOI dataset, a draw for each seed.
    Ioi {
        /// Batches of each draw; batch `i` has the seed that is `i` more.
        batches: usize,
        /// Prompts of each.
        batch_size: usize,
    },
    /// Prompts that a reader wrote: no seed changes what a head does there.
    Text {
        /// SHA-256 of the text.
        sha256: String,
        /// Whether it is CSV.
        csv: bool,
    },
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A head in a set of prompts: means over them.
    Sets,
    /// A head in a prompt.
    Prompts,
}

/// What is done by itself: one model, one set of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Its place among all of them, from 0; rows are in this order.
    pub index: usize,
    /// Its model, by its place in [`Sweep::models`].
    pub model: usize,
    /// Its prompts, by their place in [`Sweep::prompts`].
    pub prompts: usize,
    /// The seed of prompts that are drawn.
    pub seed: Option<u64>,
}

impl Sweep {
    /// The same sweep with everything sorted, and each thing once.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where it asks for nothing, and for two sets of prompts of one name.
    pub fn sorted(mut self) -> Result<Self> {
        self.models.sort();
        self.models.dedup();
        self.heads.sort();
        self.heads.dedup();
        self.prompts.sort();
        self.prompts.dedup();
        self.seeds.sort_unstable();
        self.seeds.dedup();
        let empty = [
            ("models", self.models.is_empty()),
            ("heads", self.heads.is_empty()),
            ("prompts", self.prompts.is_empty()),
            ("seeds", self.seeds.is_empty()),
        ];
        if let Some((what, _)) = empty.into_iter().find(|(_, is_empty)| *is_empty) {
            return Err(Error::new(ErrorKind::Request, format!("the sweep has no {what}")).expected("one or more"));
        }
        match self.prompts.windows(2).find(|two| two[0].name == two[1].name) {
            Some([one, _]) => {
                let cause = format!("two sets of prompts are called \"{}\"", one.name);
                Err(Error::new(ErrorKind::Request, cause).expected("names that tell them apart in the rows"))
            }
            _ => Ok(self),
        }
    }

    /// Its shards, in the order of the rows.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards = Vec::new();
        for model in 0..self.models.len() {
            for (prompts, set) in self.prompts.iter().enumerate() {
                let seeds: Vec<Option<u64>> = match set.of {
                    PromptsOf::Ioi { .. } => self.seeds.iter().copied().map(Some).collect(),
                    PromptsOf::Text { .. } => vec![None],
                };
                for seed in seeds {
                    let index = shards.len();
                    shards.push(Shard {
                        index,
                        model,
                        prompts,
                        seed,
                    });
                }
            }
        }
        shards
    }

    /// What makes the prompts of `shard`; `text` reads those that a reader wrote, by their name.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] for a text that is not what it was, and those of `text`.
    pub fn source(&self, shard: &Shard, text: impl FnOnce(&str) -> Result<String>) -> Result<PromptSource> {
        let set = &self.prompts[shard.prompts];
        match &set.of {
            PromptsOf::Ioi { batches, batch_size } => Ok(PromptSource::Ioi(IoiSet {
                seed: shard.seed.unwrap_or_default(),
                batches: *batches,
                batch_size: *batch_size,
                prepend_bos: self.prepend_bos,
            })),
            PromptsOf::Text { sha256, csv } => {
                let text = text(&set.name)?;
                if digest(&[text.as_bytes()]) != *sha256 {
                    let cause = format!("the prompts {} are not what they were when the sweep began", set.name);
                    return Err(Error::new(ErrorKind::Changed, cause).advice("Begin another sweep, in another folder."));
                }
                Ok(PromptSource::Text(TextPrompts {
                    text,
                    format: if *csv { Format::Csv } else { Format::Lines },
                    prepend_bos: self.prepend_bos,
                    ..TextPrompts::default()
                }))
            }
        }
    }

    /// The fields in which this sweep and another one differ.
    #[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("version", self.keyside == other.keyside),
            ("models", self.models == other.models),
            ("heads", self.heads == other.heads),
            ("prompts", self.prompts == other.prompts),
            ("seeds", self.seeds == other.seeds),
            ("BOS", self.prepend_bos == other.prepend_bos),
            ("engine", self.engine == other.engine),
            ("rows per prompt", self.rows == other.rows),
        ];
        fields
            .into_iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| name)
            .collect()
    }
}

impl SweptPrompts {
    /// The prompts of `text` in the file `name`; CSV where its name ends so.
    pub fn of_text(name: &str, text: &str) -> Self {
        let end = name.rsplit('.').next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            of: PromptsOf::Text {
                sha256: digest(&[text.as_bytes()]),
                csv: end.eq_ignore_ascii_case("csv"),
            },
        }
    }
}

/// SHA-256 of `parts` one after the other, in hexadecimal.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
