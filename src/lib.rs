//! keyside: explains why an attention head of GPT-2 attends to a token, by the components of the model that cause it.
//!
//! The modules, in the order of the data flow: a module uses only modules above it in this list. `tests/layering` holds
//! the same list as a table, and fails where the source breaks the rule.
//!
//! "The notebook" is the research notebook that keyside began as ("Keys fixed", June 2023; Python with TransformerLens): it
//! studies head 10.7 of GPT-2 small on prompts of the indirect-object-identification task (IOI). Its prompts and numbers
//! are reproduced exactly, and names such as `Normalization::Notebook` stand for its way of doing things.
//!
//! Shared by all:
//! - [`error`]: the one error type, with cause, expectation and advice.
//! - [`names`]: typed identifiers of heads, components, series, heatmaps, figures and positions, with their texts.
//! - `math`: arithmetic on slices.
//! - `json`: JSON parsing with the library's errors.
//! - [`quantities`]: formatting of numbers, counts, durations and sizes for people.
//!
//! From bytes to figures:
//! 1. [`checkpoint`]: named tensors from bytes (safetensors header, byte ranges, sources, storage in a browser).
//! 2. [`model`]: configuration, model card, tokenizer, weight processing.
//! 3. [`kernel`]: arithmetic of the cpu engine with vectors and threads; compiled again as a separate WebAssembly module.
//! 4. `compute`: engines that run transformer blocks.
//! 5. [`forward`]: the forward pass over a tree of shared prefixes, and the activations that it captures and edits.
//! 6. [`prompts`]: prompt makers; `ioi` makes indirect-object-identification prompts with the notebook's exact draws.
//! 7. [`analysis`]: attention scores as linear functions, substituted vectors, contributions of components, interventions.
//! 8. [`result`]: the result file, and statistics for plots.
//! 9. [`plot`]: histograms, heatmaps and other plots on any `plotters` backend.
//! 10. [`export`]: tables, Python scripts, web pages, citations.
//! 11. [`figure`]: the kinds of figures, each with its plot, tables, script and description.
//! 12. [`sweep`]: runs over many heads, models and seeds: a plan, its shards, their rows, and natively the output folder.
//! 13. [`worker`]: the messages between page and worker, and the worker's loop.
//! 14. [`app`]: the page's state and texts as plain data.
//! 15. `web`: the page in the browser (feature `page`, wasm32), the only module that uses browser APIs.
//!
//! Native only, and used by programs alone: `cli`, the command line (feature `cli`), and `training` (feature `cli`), which
//! trained the bundled model.

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
