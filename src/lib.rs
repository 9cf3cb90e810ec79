//! keyside: see which parts of GPT-2 make an attention head look where it looks.
//!
//! The rooms. Data walks down this list, and a room uses only those above it; nobody reaches back. `tests/layering` has
//! the table, and fails where it is not kept.
//!
//! Shared by all:
//! - [`error`]: the one error type, with cause, expectation and advice.
//! - [`names`]: what is named in text and in files, as types.
//! - `math`: plain arithmetic on slices.
//! - `json`: how JSON is read.
//! - [`quantities`]: numbers, counts, times and sizes as people read them.
//!
//! From bytes to figures:
//! 1. [`checkpoint`]: bytes to tensors (safetensors header, byte ranges, sources, what a browser stores).
//! 2. [`model`]: configuration, model card, tokenizer, which weight processing is applied.
//! 3. [`kernel`]: arithmetic of the cpu engine, on vectors and threads; compiled once more as a module of its own for the page.
//! 4. `compute`: engines that run blocks; so far, between tensors and slices without copies.
//! 5. [`forward`]: the forward pass over a tree of shared prefixes, and what it captures.
//! 6. [`prompts`]: makers of prompts; `ioi` has the indirect-object-identification prompts and the exact draws behind them.
//! 7. [`analysis`]: a score as a linear function, substituted vectors, contributions of components.
//! 8. [`result`]: the result file, and the statistics that plots are made of.
//! 9. [`plot`]: histograms and heatmaps on any `plotters` backend.
//! 10. [`export`]: tables, Python scripts, web pages, citations.
//! 11. [`figure`]: the kinds of figures, each with its plot, tables, script and words.
//! 12. [`sweep`]: many runs as one: a plan, its shards, their rows, and natively the folder that keeps them.
//! 13. [`worker`]: what page and worker say to each other, and the loop that serves it.
//! 14. [`app`]: the page's state and its sentences, as plain data.
//! 15. `web`: the page in the browser (feature `page`, wasm32), the only room that names `web_sys` and the like.
//!
//! Beside them, natively, and used by programs alone: `cli`, the command line (feature `cli`), and `training`
//! (feature `cli`), which made the bundled model.

pub mod analysis;
pub mod app;
pub mod checkpoint;
pub(crate) mod compute;
pub mod error;
pub mod export;
pub mod figure;
pub mod forward;
pub(crate) mod json;
pub mod kernel;
pub(crate) mod math;
pub mod model;
pub mod names;
pub mod plot;
pub mod prompts;
pub mod quantities;
pub mod result;
pub mod sweep;
#[cfg(feature = "cli")]
pub mod training;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
pub mod web;
pub mod worker;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;

pub use error::{Error, ErrorKind, Result};
