//! Indirect object identification: the prompts, their positions, and the exact draws behind them.
//!
//! Dataset of Wang et al. 2022, "Interpretability in the Wild". The same seed gives the same prompts
//! and the same random tokens as the notebook's Python, NumPy and torch.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::gpt2::Tokenizer;

/// Where the named tokens of a prompt stand, counted from 0 (BOS included, if there is one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// First occurrence of the indirect object.
    #[serde(rename = "IO")]
    pub io: usize,
    /// First occurrence of the subject.
    #[serde(rename = "S1")]
    pub s1: usize,
    /// Last occurrence of the subject.
    #[serde(rename = "S2")]
    pub s2: usize,
    /// The last position before the final name.
    #[serde(rename = "END")]
    pub end: usize,
}

/// One prompt with what the analysis needs to know of it. Also its entry in the result file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The whole text, final name included.
    pub text: String,
    /// Its tokens, final name included, after BOS if there is one.
    pub tokens: Vec<u32>,
    /// The indirect object's name.
    #[serde(rename = "IO")]
    pub io: String,
    /// The subject's name.
    #[serde(rename = "S")]
    pub s: String,
    /// Token of the indirect object, with its leading space.
    #[serde(rename = "IO_token")]
    pub io_token: u32,
    /// Token of the subject, with its leading space.
    #[serde(rename = "S_token")]
    pub s_token: u32,
    /// Token drawn from the whole vocabulary for `W_U[random]`.
    pub random_token: u32,
    /// Token of a drawn name, without leading space, for `W_U[random name]`.
    pub random_name_token: u32,
    /// Where the named tokens stand.
    pub positions: Positions,
}

/// The prompts of one seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The seed of all draws.
    pub seed: u64,
    /// The prompts in the order they were drawn.
    pub prompts: Vec<Prompt>,
}

/// Draws the batch of `seed`: `batch_size` prompts and their random tokens.
///
/// # Errors
/// [`crate::ErrorKind::Request`] when `batch_size` is 0, [`crate::ErrorKind::Prompt`] when a name is
/// not one token of `tokenizer` (all such names are listed).
pub fn draw_batch(_tokenizer: &Tokenizer, _seed: u64, _batch_size: usize, _prepend_bos: bool) -> Result<Batch> {
    todo!("ioi")
}
