//! The result file: one JSON document, `"format": "keyside-result/1"`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Config, Processing};
use crate::names::{Column, Grid, Head, HeatmapId, Row, SeriesId};
use crate::prompts::ioi::Prompt;

/// The value of [`ResultFile::format`].
pub const FORMAT: &str = "keyside-result/1";

/// Everything that one analysis found. Readers ignore unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultFile {
    /// Always [`FORMAT`].
    pub format: String,
    /// Which model it was.
    pub model: ModelInfo,
    /// Its shape.
    pub config: Config,
    /// Which weight processing was applied.
    pub processing: Processing,
    /// The destination head.
    pub head: Head,
    /// The earlier head.
    pub earlier_head: Head,
    /// Seed of the first batch.
    pub seed: u64,
    /// Number of batches.
    pub batches: usize,
    /// Prompts per batch.
    pub batch_size: usize,
    /// Whether prompts started with BOS.
    pub prepend_bos: bool,
    /// Scores and probabilities with substituted vectors.
    pub histograms: Histograms,
    /// Contributions by name: `key`, `query_subS1`, ...; of a split one, each facet by `key_split/q par k par`, ... (in the
    /// file, facets stand under their heatmap's name in `facets`).
    #[serde(with = "crate::result::heatmaps")]
    pub heatmaps: BTreeMap<HeatmapId, Heatmap>,
    /// The prompts, in the order of the histograms' values. Empty in recorded runs.
    #[serde(default)]
    pub prompts: Vec<Prompt>,
    /// How long it took. None in recorded runs.
    #[serde(default)]
    pub timing: Option<Timing>,
}

impl ResultFile {
    /// The heatmap `name`.
    pub fn heatmap(&self, name: &HeatmapId) -> Option<&Heatmap> {
        self.heatmaps.get(name)
    }

    /// The names that [`ResultFile::heatmap`] knows, in the order in which they are offered.
    pub fn heatmap_names(&self) -> Vec<HeatmapId> {
        self.heatmaps.keys().cloned().collect()
    }
}

/// Which model a result is of, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// A name for people: "GPT-2 small", the folder's or URL's last part.
    pub name: String,
    /// Folder or URL, or where recorded numbers come from.
    pub source: String,
}

/// Series of one histogram: label to values, one per prompt, in prompt order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesSet {
    /// Label ("W_U\[IO\]") to values.
    pub series: BTreeMap<SeriesId, Vec<f32>>,
}

/// The four histograms, and the true values to hold beside them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Histograms {
    /// Scores END->IO with keys fixed and the query side's vector substituted.
    pub keys_fixed_scores: SeriesSet,
    /// Probabilities of the same.
    pub keys_fixed_probs: SeriesSet,
    /// Scores END->IO with queries fixed and the key side's vector substituted.
    pub queries_fixed_scores: SeriesSet,
    /// Probabilities of the same.
    pub queries_fixed_probs: SeriesSet,
    /// The head's true score END->IO per prompt. Empty in recorded runs.
    #[serde(default)]
    pub true_score: Vec<f32>,
    /// The head's true probability END->IO per prompt. Empty in recorded runs.
    #[serde(default)]
    pub true_prob: Vec<f32>,
}

/// Mean contributions of components to the score END->IO, or to what is left of it or put in its place, over the prompts
/// of the first batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heatmap {
    /// Row names: `misc`, then the layers before the destination head's.
    pub rows: Vec<Row>,
    /// Column names: `L.0`, ..., `MLP`, `b_O` (absent where b_O was not computed).
    pub columns: Vec<Column>,
    /// Mean contribution, `[rows, columns]`; row `misc` holds W_E, W_pos, bias, then zeros.
    pub values: Vec<Vec<f32>>,
    /// Sum over all cells.
    pub sum: f32,
    /// Mean over the prompts of the score that the cells add up to, computed without them. Of a facet: of the query's and
    /// the key's parts. None where it was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_score: Option<f32>,
    /// Largest |sum of contributions - true score| over the prompts; None where it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_abs_residual: Option<f32>,
    /// Contributions in every prompt of the first batch, `[prompts, rows, columns]`. None for facets, in recorded runs, and
    /// where they would be too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_prompt: Option<Vec<Vec<Vec<f32>>>>,
    /// What is special about this heatmap, where it is not simply of this run: recorded ones may be of other prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Heatmap {
    /// Its rows and columns.
    pub fn grid(&self) -> Grid<'_> {
        Grid {
            rows: &self.rows,
            columns: &self.columns,
        }
    }
}

/// How long a run took, and how much it computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds in all.
    pub seconds: f64,
    /// Seconds of them reading weights.
    pub loading_seconds: f64,
    /// Positions computed, shared prefixes counted once.
    pub positions: usize,
    /// Positions per second of computing.
    pub positions_per_second: f64,
    /// Bytes of weights read.
    pub bytes_read: u64,
    /// Bytes that came over the network, configuration and tokenizer included, where that is known.
    #[serde(default)]
    pub bytes_from_network: u64,
    /// Peak of wasm's linear memory in bytes; None natively.
    #[serde(default)]
    pub peak_linear_memory: Option<u64>,
}
