//! The messages between page and worker, as enums. They are sent as JSON text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::analysis::pair::{InterventionRequest, Question, TargetText};
use crate::analysis::{Analysis, BatchValues, HeadRoles, Progress};
use crate::checkpoint::{Notices, Space, StoredModel};
use crate::error::Error;
use crate::forward::Sampling;
use crate::model::Config;
use crate::model::ModelCard;
use crate::names::EngineChoice;
use crate::result::ResultFile;

/// Prefix of the URLs of models that consist of local files: `picked:1/folder`.
///
/// Files cannot be sent as text: the page sends them in a separate message, an object `{ address, files }`.
pub const PICKED: &str = "picked:";

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToWorker {
    /// Read the configuration (and card, if any) of the model at `url`; answered by `Described`.
    Describe {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
    },
    /// Run an analysis of the model at `url`.
    Analyze {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// What to analyze.
        analysis: Analysis,
    },
    /// Answer a question about a sentence with the model at `url`; answered by an `Answer` for each part, then `Answered`.
    Ask {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The question.
        question: Question,
    },
    /// Apply interventions at the pair of a question, recomputed to the end of the model at `url`; answered as `Ask`.
    Intervene {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the pair.
        question: Question,
        /// The interventions.
        intervening: InterventionRequest,
    },
    /// Remove every component of either side of the pair of a question, one at a time, with the model at `url`;
    /// answered as `Ask`, in parts with more and more of the map.
    CausalMap {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the pair.
        question: Question,
    },
    /// Ablate the head of the model at `url` that has the largest direct effect on the difference of two logits after a
    /// prompt; answered as `Ask`, by one part with the section `head_effects`.
    AblateHead {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The prompt, and the two tokens.
        prompt: TargetText,
    },
    /// Generate a continuation of the sentence of a question, after the query position; answered by `Continued`.
    Continue {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
        /// The sentence and the position.
        question: Question,
        /// Limit of the tokens to add.
        count: usize,
        /// How they are sampled.
        sampling: Sampling,
    },
    /// Find the roles of the heads of the model at `url` by their attention on random tokens; answered by `HeadRoles`.
    NameHeads {
        /// Number of the request; answers repeat it.
        id: u32,
        /// URL prefix of the checkpoint's folder.
        url: String,
    },
    /// Stop the run or the answer `id`; answered by `Failed` with kind `Cancelled`.
    Cancel {
        /// Number of the request to stop.
        id: u32,
    },
    /// Use this engine from now on. Not answered: every result names the engine that computed it.
    Choose {
        /// Which engine, on how many threads.
        engine: EngineChoice,
    },
    /// Pause downloads; data that has arrived is still used. Not answered.
    Pause,
    /// Resume downloads. Not answered.
    Resume,
    /// List the stored models; answered by `Stored`.
    ListStored {
        /// Number of the request; answers repeat it.
        id: u32,
    },
    /// Remove a stored model; answered by `Stored`.
    RemoveStored {
        /// Number of the request; answers repeat it.
        id: u32,
        /// [`StoredModel::folder`] of the model.
        folder: String,
    },
}

/// From the worker to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker has started.
    Ready,
    /// Answer to `Describe`.
    Described {
        /// Number of the request.
        id: u32,
        /// The model's shape.
        config: Config,
        /// The model's card, if there is one.
        card: Option<ModelCard>,
    },
    /// The stored models: answer to `ListStored` and `RemoveStored`.
    Stored {
        /// Number of the request.
        id: u32,
        /// The models, by location.
        models: Vec<StoredModel>,
        /// Usage and quota of the storage, where known.
        space: Option<Space>,
        /// Why nothing can be stored, if so.
        #[serde(default)]
        unavailable: Option<String>,
    },
    /// Progress of a run.
    Progress {
        /// Number of the request.
        id: u32,
        /// The progress.
        progress: Progress,
    },
    /// Notices about reading the model, at every change.
    Notices {
        /// Number of the request.
        id: u32,
        /// The current notices.
        notices: Notices,
    },
    /// The values of one finished batch.
    Batch {
        /// Number of the request.
        id: u32,
        /// Which batch, from 0.
        index: usize,
        /// The values.
        values: Box<BatchValues>,
    },
    /// A run's result.
    Finished {
        /// Number of the request.
        id: u32,
        /// The result.
        #[serde(deserialize_with = "result")]
        result: Box<ResultFile>,
    },
    /// Special tokens of the model that are spelled out in the sentence of a question, sent before its first part; not
    /// sent if there are none.
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
        /// The sentence, and one section about it.
        #[serde(deserialize_with = "result")]
        part: Box<ResultFile>,
    },
    /// A question is answered completely.
    Answered {
        /// Number of the request.
        id: u32,
    },
    /// Answer to `Continue`.
    Continued {
        /// Number of the request.
        id: u32,
        /// The sentence up to the position, and its continuation.
        text: String,
    },
    /// Answer to `NameHeads`.
    HeadRoles {
        /// Number of the request.
        id: u32,
        /// The heads that have a role.
        heads: HeadRoles,
    },
    /// A request failed, or was cancelled.
    Failed {
        /// Number of the request.
        id: u32,
        /// The error.
        error: Error,
    },
    /// The worker has crashed and will not answer any more; a new one must be started.
    Panicked {
        /// The panic's message.
        message: String,
    },
}

/// Deserializes a result with the same function as for files, so that the page's wasm contains only one.
fn result<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Box<ResultFile>, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    ResultFile::from_json(text.get().as_bytes())
        .map(Box::new)
        .map_err(D::Error::custom)
}
