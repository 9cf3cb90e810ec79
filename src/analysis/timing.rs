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
    /// The block with which all batches but the first have gone on, where an earlier run over the same prompts has left the blocks before; None
    /// for a run that has computed everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<usize>,
    /// Positions per second of computing.
    pub positions_per_second: f64,
    /// Billions of floating-point operations of the blocks per second of computing; None where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflop_per_second: Option<f64>,
    /// The compute engine; None in files of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
    /// Name of the GPU that computed, if one did: "NVIDIA H200", "llvmpipe (software)".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
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
    /// What computed, on what, and how fast: "engine relaxed, 2 threads, 61.0 GFLOP/s", "engine gpu on NVIDIA H200, 9000.0 GFLOP/s"; None where
    /// that is not known.
    pub fn computed_by(&self) -> Option<String> {
        let engine = self.engine?;
        let on = match (engine, &self.adapter, self.threads) {
            (EngineName::Gpu, Some(adapter), _) => format!(" on {adapter}"),
            // The gemm crate's threads are the surroundings', and a GPU's are not counted.
            (EngineName::Gpu | EngineName::Gemm, ..) | (_, _, None) => String::new(),
            (_, _, Some(threads)) => format!(", {}", counted(threads, "thread", "threads")),
        };
        let rate = match self.gflop_per_second {
            Some(rate) => format!(", {rate:.1} GFLOP/s"),
            None => String::new(),
        };
        Some(format!("engine {engine}{on}{rate}"))
    }

    /// The same, saying what `model` computes with.
    #[must_use]
    pub(crate) fn with(self, model: &Model) -> Self {
        let engine = model.engine();
        Self {
            engine: Some(engine),
            adapter: model.device(),
            threads: (engine != EngineName::Gpu).then(|| model.threads()),
            ..self
        }
    }

    /// Adds engine and rate, for `steps` of a position through a block of `model`, computed in `seconds`.
    #[must_use]
    pub(crate) fn on(self, model: &Model, steps: usize, seconds: f64) -> Self {
        let config = model.config();
        let (d, d_mlp) = (config.d_model as f64, config.d_mlp as f64);
        // A multiplication and an addition for each weight of a block.
        let of_step = 2.0 * (4.0 * d * d + 2.0 * d * d_mlp);
        Self {
            gflop_per_second: (steps > 0).then_some(steps as f64 * of_step / 1e9 / seconds.max(f64::EPSILON)),
            ..self.with(model)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_computed_is_named() {
        let mut timing = Timing {
            gflop_per_second: Some(61.04),
            engine: Some(EngineName::Relaxed),
            threads: Some(2),
            ..Timing::default()
        };
        let said = |timing: &Timing| timing.computed_by().unwrap();
        assert_eq!(said(&timing), "engine relaxed, 2 threads, 61.0 GFLOP/s");
        timing.engine = Some(EngineName::Gemm);
        assert_eq!(said(&timing), "engine gemm, 61.0 GFLOP/s");
        timing.engine = Some(EngineName::Gpu);
        assert_eq!(said(&timing), "engine gpu, 61.0 GFLOP/s");
        timing.adapter = Some("llvmpipe (software)".to_owned());
        assert_eq!(said(&timing), "engine gpu on llvmpipe (software), 61.0 GFLOP/s");
        assert_eq!(Timing::default().computed_by(), None);
    }

    #[test]
    fn files_that_do_not_name_the_adapter_are_read() {
        let text = r#"{"seconds":1.0,"loading_seconds":0.5,"positions":3,"positions_per_second":6.0,"engine":"gpu","threads":1,"bytes_read":9}"#;
        let timing: Timing = serde_json::from_str(text).unwrap();
        assert_eq!((timing.engine, &timing.adapter), (Some(EngineName::Gpu), &None));
        let with = Timing {
            adapter: Some("H".to_owned()),
            ..timing
        };
        let again: Timing = serde_json::from_str(&serde_json::to_string(&with).unwrap()).unwrap();
        assert_eq!(again, with);
    }
}
