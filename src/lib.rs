//! keyside: see which parts of GPT-2 make an attention head look where it looks.
//!
//! The rooms, in the order in which data walks through them:
//!
//! 1. [`checkpoint`]: bytes to tensors (safetensors header, byte ranges, sources).
//! 2. [`gpt2`]: configuration, tokenizer, weight processing, the forward pass and what it captures.
//! 3. [`ioi`]: the indirect-object-identification prompts and the exact draws behind them.
//! 4. [`attribution`]: a score as a linear function, substituted vectors, contributions of components.
//! 5. [`result`]: the result file, and the statistics that plots are made of.
//! 6. [`plot`]: histograms and heatmaps on any `plotters` backend.
//! 7. [`export`]: what is behind a figure as tables, SVG, a Python script, a citation.
//! 8. [`worker`]: what page and worker say to each other, and the loop that serves it.
//! 9. [`app`]: the page; its components need feature `page` and wasm32.
//! 10. `cli`: the command line (feature `cli`, native only).
//!
//! Beside them stands `training` (feature `cli`), which made the bundled model.
//!
//! Nobody reaches back: a room uses only the rooms before it. [`error`] is shared by all.

pub mod analysis;
pub mod app;
pub mod checkpoint;
pub(crate) mod compute;
pub mod error;
pub mod export;
pub mod forward;
pub(crate) mod math;
pub mod model;
pub mod names;
pub mod plot;
pub mod prompts;
pub mod result;
#[cfg(feature = "cli")]
pub mod training;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub mod web;
pub mod worker;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;

pub use error::{Error, ErrorKind, Result};
