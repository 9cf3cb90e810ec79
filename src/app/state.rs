//! What the page is in the middle of: the result on the screen, the run, the worker.

use std::sync::Arc;

use crate::analysis::Progress;
use crate::model::{Config, ModelCard};
use crate::result::ResultFile;

/// Where a shown result comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The recorded GPT-2 small run that ships with the page.
    Recorded,
    /// A finished run on this page.
    Live,
    /// A run on this page, so far or as far as it came.
    Partial {
        /// Batches that are in it.
        done: usize,
        /// Batches that were asked for.
        batches: usize,
    },
    /// A file, by name.
    File(String),
}

/// A result on the screen. Two are equal when they are the same version of the same result.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Counts up with every change.
    pub revision: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// The numbers.
    pub result: Arc<ResultFile>,
    /// What the model says of itself, or a recording of its sentence, where they do.
    pub note: Option<String>,
    /// Address of the model that it was found with on this page.
    pub url: Option<String>,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

impl Shown {
    /// Whether batches are missing, and the heatmap with them.
    pub fn is_partial(&self) -> bool {
        matches!(self.origin, Origin::Partial { .. })
    }
}

/// What a checkpoint's folder says of its model.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The folder's URL.
    pub url: String,
    /// The model's shape.
    pub config: Config,
    /// Its card, where it has one.
    pub card: Option<ModelCard>,
}

/// What became of the last run.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Run {
    /// There was none.
    #[default]
    Idle,
    /// The model is being opened.
    Opening,
    /// It is under way.
    Running(Progress),
    /// It was asked to stop and has not yet.
    Cancelling(Option<Progress>),
    /// It stopped when asked to, after so many batches.
    Cancelled(usize),
    /// It failed; the error is [`super::session::Session::error`].
    Failed,
    /// It finished.
    Finished,
}

impl Run {
    /// Whether the worker is busy with it.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Opening | Self::Running(_) | Self::Cancelling(_))
    }

    /// How far it is, where that is known.
    pub fn progress(&self) -> Option<&Progress> {
        match self {
            Self::Running(progress) | Self::Cancelling(Some(progress)) => Some(progress),
            _ => None,
        }
    }
}

/// The worker's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorkerState {
    /// Not needed yet.
    #[default]
    NotStarted,
    /// Started; has not reported yet.
    Starting,
    /// Listens.
    Ready,
    /// Could not start, or broke down: only a new one helps.
    Lost,
}
