//! How long a run took.

use serde::{Deserialize, Serialize};

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
