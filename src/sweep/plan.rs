//! The plan of a sweep, and its shards.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::head_pattern::HeadPattern;
use crate::error::{Error, ErrorKind, Result};
use crate::names::EngineChoice;
use crate::prompts::text::{Format, TextPrompts};
use crate::prompts::{IoiSet, PromptSource};

/// The plan of a sweep: heads, models, sets of prompts and seeds. Plans that ask for the same are equal, whatever the
/// order in the user's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The version of this program. Other versions may round differently.
    pub keyside: String,
    /// The models, sorted.
    pub models: Vec<SweptModel>,
    /// Patterns of the heads of each model, sorted.
    pub heads: Vec<HeadPattern>,
    /// The sets of prompts, sorted by name.
    pub prompts: Vec<SweptPrompts>,
    /// The seeds of drawn prompts, sorted.
    pub seeds: Vec<u64>,
    /// Whether prompts begin with BOS.
    pub prepend_bos: bool,
    /// The compute engine. Other engines may round differently.
    pub engine: EngineChoice,
    /// What a row covers.
    pub rows: Kind,
}

/// A model of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweptModel {
    /// Folder or URL; for the hub, without a revision.
    pub model: String,
    /// The revision on the hub.
    pub revision: Option<String>,
    /// SHA-256 of its configuration and of samples of its weights, if it is local. Detects when a model has been
    /// replaced.
    pub fingerprint: Option<String>,
}

impl SweptModel {
    /// Location of its files: folder, URL, or `hub:NAME@REVISION`.
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
    /// Name in rows: "ioi", or the name of a file.
    pub name: String,
    /// The maker.
    #[serde(rename = "of")]
    pub maker: SweptMaker,
}

/// The maker of a set of prompts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweptMaker {
    /// The IOI dataset, drawn once for each seed.
    Ioi {
        /// Batches per seed; batch `i` has the seed plus `i`.
        batches: usize,
        /// Prompts per batch.
        batch_size: usize,
    },
    /// The user's own prompts. They do not depend on a seed.
    Text {
        /// SHA-256 of the text.
        sha256: String,
        /// Whether it is CSV.
        csv: bool,
    },
}

/// What a row covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One head on a set of prompts: means over prompts.
    Sets,
    /// One head on one prompt.
    Prompts,
}

/// An independent part of the work: one model, one set of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Index; rows are in this order.
    pub index: usize,
    /// Index of its model in [`Sweep::models`].
    pub model: usize,
    /// Index of its prompts in [`Sweep::prompts`].
    pub prompts: usize,
    /// The seed of drawn prompts.
    pub seed: Option<u64>,
}

impl Sweep {
    /// Sorts everything and removes duplicates.
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

    /// The shards, in the order of the rows.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards = Vec::new();
        for model in 0..self.models.len() {
            for (prompts, set) in self.prompts.iter().enumerate() {
                let seeds: Vec<Option<u64>> = match set.maker {
                    SweptMaker::Ioi { .. } => self.seeds.iter().copied().map(Some).collect(),
                    SweptMaker::Text { .. } => vec![None],
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

    /// The prompt source of `shard`; `text` reads the user's own prompts by the name of the set.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] for a text that has changed, and those of `text`.
    pub fn source(&self, shard: &Shard, text: impl FnOnce(&str) -> Result<String>) -> Result<PromptSource> {
        let set = &self.prompts[shard.prompts];
        match &set.maker {
            SweptMaker::Ioi { batches, batch_size } => Ok(PromptSource::Ioi(IoiSet {
                seed: shard.seed.unwrap_or_default(),
                batches: *batches,
                batch_size: *batch_size,
                prepend_bos: self.prepend_bos,
            })),
            SweptMaker::Text { sha256, csv } => {
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

    /// The names of the fields in which two plans differ.
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
    /// The set of prompts for `text` in the file `name`; CSV if the name says so.
    pub fn of_text(name: &str, text: &str) -> Self {
        let end = name.rsplit('.').next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            maker: SweptMaker::Text {
                sha256: digest(&[text.as_bytes()]),
                csv: end.eq_ignore_ascii_case("csv"),
            },
        }
    }
}

/// SHA-256 of the concatenated `parts`, in hexadecimal.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
