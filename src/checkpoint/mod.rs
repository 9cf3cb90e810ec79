//! Bytes to tensors: the safetensors header, byte ranges, and the sources they come from.

use std::ops::Range;

use candle_core::Tensor;
use futures::future::LocalBoxFuture;

use crate::error::Result;
use crate::gpt2::{Config, Tokenizer};

/// Where the files of a checkpoint come from: memory, a folder, an HTTP(S) prefix.
pub trait Source {
    /// The folder or URL, for messages and the result file.
    fn location(&self) -> String;

    /// Reads `range` of `file` (all of it where `range` is None), exactly.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when the file is missing or shorter than `range`.
    fn read<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, Result<Vec<u8>>>;
}

/// An opened checkpoint: configuration, tokenizer and header are read, tensors are read on demand.
pub struct Checkpoint {}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and the header of `model.safetensors`.
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or not what it should be.
    pub async fn open(_source: Box<dyn Source>) -> Result<Self> {
        todo!("checkpoint")
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        todo!("checkpoint")
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        todo!("checkpoint")
    }

    /// The source's folder or URL.
    pub fn location(&self) -> String {
        todo!("checkpoint")
    }

    /// Whether there is a tensor `name`, without the prefix `transformer.` ("h.0.ln_1.weight").
    pub fn has(&self, _name: &str) -> bool {
        todo!("checkpoint")
    }

    /// Size in the file of tensor `name`, in bytes; 0 where it does not exist.
    pub fn size_in_bytes(&self, _name: &str) -> u64 {
        todo!("checkpoint")
    }

    /// Reads tensor `name` as f32, whatever its dtype in the file (F32, F16, BF16).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Checkpoint`] when it does not exist or has another shape than `shape`.
    pub async fn tensor(&self, _name: &str, _shape: &[usize]) -> Result<Tensor> {
        todo!("checkpoint")
    }
}
