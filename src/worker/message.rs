//! The messages, as typed enums. They travel as JSON text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::analysis::pair::{InterventionRequest, Question, TargetText};
use crate::analysis::{Analysis, BatchValues, NamedHeads, Progress};
use crate::checkpoint::{Notices, Space, StoredModel};
use crate::error::Error;
use crate::forward::Sampling;
use crate::model::Config;
use crate::model::ModelCard;
use crate::names::EngineChoice;
use crate::result::ResultFile;

/// Beginning of the addresses of models that are files from the reader's own disk: `picked:1/folder`.
///
/// Files can't travel as text: the page hands them over in a message of their own, an object `{ address, files }`.
pub const PICKED: &str = "picked:";

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToWorker {
    /// Read the configuration (and card, if any) of the model at `url`; answered by `Described`.
    Describe {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
    },
    /// Run an analysis of the model at `url`.
    Analyze {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// What to analyse.
        analysis: Analysis,
    },
    /// Answer a question about a sentence with the model at `url`; answered by an `Answer` for each part, then `Answered`.
    Ask {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// What is asked.
        question: Question,
    },
    /// Put something else in places of the pair of a question, and recompute to the end of the model at `url`; answered as `Ask`.
    Intervene {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the pair.
        question: Question,
        /// What is put where.
        intervening: InterventionRequest,
    },
    /// Take every component of either side of the pair of a question out in turn, with the model at `url`; answered as `Ask`, by parts that each
    /// have more of the map.
    CausalMap {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the pair.
        question: Question,
    },
    /// Take out the head of the model at `url` that adds most to the difference of two logits after a prompt; answered as `Ask`, by one part
    /// that has the section `head_effects`.
    AblateHead {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The prompt, and the two tokens.
        prompt: TargetText,
    },
    /// Go on with the sentence of a question, after the position that is looked from; answered by `Continued`.
    Continue {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the position.
        question: Question,
        /// Tokens to add, at most.
        count: usize,
        /// How they are drawn.
        sampling: Sampling,
    },
    /// Name the heads of the model at `url` by what they do with random tokens; answered by `Named`.
    NameHeads {
        /// Number of the request; answers carry it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
    },
    /// Stop the run or the answer `id`; answered by `Failed` with kind `Cancelled`.
    Cancel {
        /// Number of the request to stop.
        id: u32,
    },
    /// Compute with this engine from now on. Not answered: what was computed with is said with every result.
    Choose {
        /// Which engine, on how many threads.
        engine: EngineChoice,
    },
    /// Stop downloading for the time being; what has arrived is computed on. Not answered.
    Pause,
    /// Go on downloading. Not answered.
    Resume,
    /// Which models are stored? Answered by `Stored`.
    ListStored {
        /// Number of the request; answers carry it.
        id: u32,
    },
    /// Remove a stored model; answered by `Stored`.
    RemoveStored {
        /// Number of the request; answers carry it.
        id: u32,
        /// [`StoredModel::folder`] of the model.
        folder: String,
    },
}

/// From the worker to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker has started and listens.
    Ready,
    /// Answer to `Describe`.
    Described {
        /// Number of the request.
        id: u32,
        /// The model's shape.
        config: Config,
        /// What the checkpoint says of itself, where it does.
        card: Option<ModelCard>,
    },
    /// What is stored: answer to `ListStored` and `RemoveStored`.
    Stored {
        /// Number of the request.
        id: u32,
        /// The models, by location.
        models: Vec<StoredModel>,
        /// How much room there is, where that is known.
        space: Option<Space>,
        /// Why nothing can be kept, where that is so.
        #[serde(default)]
        unavailable: Option<String>,
    },
    /// How far a run is.
    Progress {
        /// Number of the request.
        id: u32,
        /// How far.
        progress: Progress,
    },
    /// What a reader should know of a run's reading now, whenever that changes.
    Notices {
        /// Number of the request.
        id: u32,
        /// What is out of the ordinary.
        notices: Notices,
    },
    /// The values of one finished batch.
    Batch {
        /// Number of the request.
        id: u32,
        /// Which batch, from 0.
        index: usize,
        /// Its values.
        values: Box<BatchValues>,
    },
    /// A run's result.
    Finished {
        /// Number of the request.
        id: u32,
        /// What it found.
        #[serde(deserialize_with = "result")]
        result: Box<ResultFile>,
    },
    /// Which special tokens of the model are spelt out in the sentence of a question, before its first part; where there are none,
    /// nothing is said.
    Specials {
        /// Number of the request.
        id: u32,
        /// Their texts.
        texts: Vec<String>,
    },
    /// One part of the answer to a question: a result with one section.
    Answer {
        /// Number of the request.
        id: u32,
        /// The sentence, and what was found of it.
        #[serde(deserialize_with = "result")]
        part: Box<ResultFile>,
    },
    /// A question is answered: no more parts come.
    Answered {
        /// Number of the request.
        id: u32,
    },
    /// Answer to `Continue`.
    Continued {
        /// Number of the request.
        id: u32,
        /// The sentence up to the position, and what follows.
        text: String,
    },
    /// Answer to `NameHeads`.
    Named {
        /// Number of the request.
        id: u32,
        /// The heads that have a name.
        heads: NamedHeads,
    },
    /// A request failed, or was cancelled.
    Failed {
        /// Number of the request.
        id: u32,
        /// Why.
        error: Error,
    },
    /// The worker broke down and will not answer any more; only a new one helps.
    Panicked {
        /// The panic's message.
        message: String,
    },
}

/// Reads a result in a message as it is read in a file: what reads one is in the page's wasm once.
fn result<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Box<ResultFile>, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    ResultFile::from_json(text.get().as_bytes())
        .map(Box::new)
        .map_err(D::Error::custom)
}
