//! Times and rates of a run.

use serde::{Deserialize, Serialize};

use crate::forward::Model;
use crate::names::EngineName;
use crate::quantities::counted;

/// Times and amounts of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds in all.
    pub seconds: f64,
    /// Seconds spent on reading weights.
    pub loading_seconds: f64,
    /// Positions computed, with shared prefixes merged.
    pub positions: usize,
    /// Positions per second of computing.
    pub positions_per_second: f64,
    /// Billions of floating-point operations of the blocks per second of computing; None where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflop_per_second: Option<f64>,
    /// The compute engine; None in files of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
    /// Number of threads, where the engine reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Bytes of weights read.
    pub bytes_read: u64,
    /// Bytes that came over the network, configuration and tokenizer included, where that is known.
    #[serde(default)]
    pub bytes_from_network: u64,
    /// Peak of the wasm linear memory in bytes, including the kernels'; None natively.
    #[serde(default)]
    pub peak_linear_memory: Option<u64>,
}

impl Timing {
    /// Engine, number of threads, and rate: "engine relaxed, 2 threads, 61.0 GFLOP/s"; None where unknown.
    pub fn computed_by(&self) -> Option<String> {
        let engine = self.engine?;
        let threads = match self.threads {
            // The gemm crate does not report its threads.
            Some(threads) if engine != EngineName::Gemm => format!(", {}", counted(threads, "thread", "threads")),
            _ => String::new(),
        };
        let rate = match self.gflop_per_second {
            Some(rate) => format!(", {rate:.1} GFLOP/s"),
            None => String::new(),
        };
        Some(format!("engine {engine}{threads}{rate}"))
    }

    /// Adds engine and rate, for passes through `layers` blocks of `model`.
    #[must_use]
    pub(crate) fn on(self, model: &Model, layers: usize) -> Self {
        let config = model.config();
        let (d, d_mlp) = (config.d_model as f64, config.d_mlp as f64);
        // A multiplication and an addition for each weight of a block.
        let of_position = layers as f64 * 2.0 * (4.0 * d * d + 2.0 * d * d_mlp);
        Self {
            gflop_per_second: (layers > 0).then_some(self.positions_per_second * of_position / 1e9),
            engine: Some(model.engine()),
            threads: Some(model.threads()),
            ..self
        }
    }
}
