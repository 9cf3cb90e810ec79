//! The states of the page's parts: the shown result, the run, the worker.

use std::sync::Arc;

use crate::analysis::Progress;
use crate::model::{Config, ModelCard};
use crate::result::ResultFile;

/// The origin of a shown result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The recorded GPT-2 small run that ships with the page.
    Recorded,
    /// A finished run on this page.
    Live,
    /// A run in progress or stopped.
    Partial {
        /// Batches included.
        done: usize,
        /// Batches requested.
        batches: usize,
    },
    /// A file, by name.
    File(String),
}

/// A shown result. Two are equal if they are the same version of the same result.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Version number; each change increments it.
    pub revision: u64,
    /// The origin.
    pub origin: Origin,
    /// The numbers.
    pub result: Arc<ResultFile>,
    /// The remark of the model's card, or of a recorded sentence.
    pub note: Option<String>,
    /// URL of the model that computed it on this page.
    pub url: Option<String>,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

impl Shown {
    /// Whether batches, and with them the heatmaps, are missing.
    pub fn is_partial(&self) -> bool {
        matches!(self.origin, Origin::Partial { .. })
    }
}

/// The description of a model before a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The folder's URL.
    pub url: String,
    /// The model's shape.
    pub config: Config,
    /// The card, where it has one.
    pub card: Option<ModelCard>,
}

/// The state of the last run.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Run {
    /// There was none.
    #[default]
    Idle,
    /// The model is being opened.
    Opening,
    /// In progress.
    Running(Progress),
    /// Being cancelled.
    Cancelling(Option<Progress>),
    /// Cancelled after this number of batches.
    Cancelled(usize),
    /// Failed; the error is [`super::session::Session::error`].
    Failed,
    /// Finished.
    Finished,
}

impl Run {
    /// Whether the worker is busy with it.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Opening | Self::Running(_) | Self::Cancelling(_))
    }

    /// The progress, if known.
    pub fn progress(&self) -> Option<&Progress> {
        match self {
            Self::Running(progress) | Self::Cancelling(Some(progress)) => Some(progress),
            _ => None,
        }
    }
}

/// The state of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorkerState {
    /// Not needed yet.
    #[default]
    NotStarted,
    /// Started; has not reported yet.
    Starting,
    /// Listening.
    Ready,
    /// Could not be started, or has crashed: a new worker is needed.
    Lost,
}
