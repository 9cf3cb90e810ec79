//! The settings of a run, and the interface through which it reports progress and results.

use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::analysis::OmittedSeries;
use crate::analysis::changes::{ChangesSection, RunIntervention};
use crate::error::Result;
use crate::model::Processing;
use crate::names::{EngineChoice, Head, HistogramId, Normalization, SeriesId};
use crate::prompts::PromptSource;

/// The settings of a run. Together with a model they determine the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// The destination head.
    pub head: Head,
    /// The earlier head whose output is one of the substituted vectors; its layer is before `head`'s.
    pub earlier_head: Head,
    /// The source of the prompts.
    pub prompts: PromptSource,
    /// Which weight processing is applied.
    #[serde(default)]
    pub processing: Processing,
    /// How substituted vectors are normalized.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// The compute engine. It does not change the result.
    #[serde(default, skip_serializing_if = "EngineChoice::is_automatic")]
    pub engine: EngineChoice,
    /// The intervention in every prompt, if any. It is recomputed to the end of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<RunIntervention>,
    /// Whether to analyze what the head writes. This takes all layers, and streams W_U once.
    #[serde(default)]
    pub writes: bool,
}

impl Default for Analysis {
    /// The settings of the notebook.
    fn default() -> Self {
        Self {
            head: Head::new(10, 7),
            earlier_head: Head::new(9, 9),
            prompts: PromptSource::default(),
            processing: Processing::default(),
            normalization: Normalization::default(),
            engine: EngineChoice::default(),
            intervention: None,
            writes: false,
        }
    }
}

/// Phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading configuration, tokenizer and header.
    Opening,
    /// Drawing and tokenizing prompts.
    Prompts,
    /// Reading weights (also between blocks of the first batch).
    Loading,
    /// Computing.
    Computing,
}

/// Progress of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Batches finished.
    pub batches_done: usize,
    /// Batches in all.
    pub batches: usize,
    /// Layers finished in the current batch.
    pub layers_done: usize,
    /// Layers to compute per batch.
    pub layers: usize,
    /// Bytes of weights read so far.
    pub bytes_read: u64,
    /// Bytes of weights to read in all.
    pub bytes: u64,
    /// Bytes that came over the network so far, configuration and tokenizer included.
    pub bytes_from_network: u64,
    /// Bytes that came from the browser's storage so far.
    pub bytes_from_storage: u64,
    /// Bytes of weights read per second, while there are weights to read.
    pub bytes_per_second: Option<f64>,
    /// Size of the wasm linear memory in bytes, including the kernels'. It never shrinks, so this is its peak. None
    /// natively.
    pub linear_memory: Option<u64>,
    /// Share of all computing that is done, from 0 to 1.
    pub computed: f64,
    /// Positions computed in finished batches so far, with shared prefixes merged.
    pub positions_done: usize,
    /// Seconds since the run began.
    pub seconds: f64,
    /// Positions per second, once known.
    pub positions_per_second: Option<f64>,
    /// Estimated seconds to go, once known.
    pub seconds_left: Option<f64>,
}

/// Values of one finished batch, in prompt order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchValues {
    /// Values of every series of every histogram, `[prompts]` each.
    pub series: BTreeMap<HistogramId, BTreeMap<SeriesId, Vec<f32>>>,
    /// The head's true scores END->IO, `[prompts]`.
    pub true_score: Vec<f32>,
    /// The head's true probabilities END->IO, `[prompts]`.
    pub true_prob: Vec<f32>,
    /// Series omitted because of values that are not finite in some prompts. The true values are empty where they are
    /// omitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<OmittedSeries>,
    /// Changes caused by an intervention in the batch. They arrive separately, after the values of all batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesSection>,
}

impl BatchValues {
    /// Number of prompts with values.
    pub fn prompts(&self) -> usize {
        let series = self.series.values().flat_map(BTreeMap::values);
        series.map(Vec::len).chain([self.true_score.len()]).max().unwrap_or(0)
    }

    /// Appends the values of another batch.
    pub fn extend(&mut self, other: Self) {
        for (histogram, series) in other.series {
            let of_histogram = self.series.entry(histogram).or_default();
            for (id, values) in series {
                of_histogram.entry(id).or_default().extend(values);
            }
        }
        self.true_score.extend(other.true_score);
        self.true_prob.extend(other.true_prob);
        self.left_out.extend(other.left_out);
        match (&mut self.changes, other.changes) {
            (Some(changes), Some(more)) => changes.append(&more),
            (changes, more) => *changes = changes.take().or(more),
        }
    }
}

/// Observes a run: the worker's connection to the page, a progress bar, or nothing.
pub trait Observer {
    /// Reports progress. Called often, so it must be cheap.
    fn progress(&self, progress: &Progress);

    /// Reports the values of batch `index` as soon as it is finished.
    fn batch(&self, index: usize, values: &BatchValues);

    /// Yields to the event loop (where a worker reads its messages), then checks for cancellation.
    ///
    /// Awaited at least once per block, so that cancelling takes effect within one block.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Cancelled`] to stop the run.
    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>>;
}
