//! Many runs as one: heads, models, revisions, seeds and sets of prompts, and a row for each head and set.
//!
//! What is asked becomes a [`Sweep`], which is the same as another one where both ask the same. Its shards are what can be done by itself:
//! one model, one set of prompts, all heads in one pass. Natively `SweepRequest` reads what was listed, `PreparedSweep` does shards, in this process or in
//! others, and a `Folder` keeps what is done, so that a sweep that was stopped goes on where it was, whoever does its shards. What it has
//! found can be read anywhere: [`read_rows`], [`SweptSet`].

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod fingerprint;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod folder;
mod maps;
mod patterns;
mod plan;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod prepared;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod request;
mod rows;
mod sets;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use fingerprint::fingerprint;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use folder::{Done, Finished, Folder, MAPS, ROWS};
pub use maps::maps;
pub use patterns::{HeadPattern, heads_of, seeds_of};
pub use plan::{Kind, PromptsOf, Shard, Sweep, SweptModel, SweptPrompts};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use prepared::{PreparedSweep, SourceOf};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use request::{IOI, SweepRequest};
pub use rows::{Row, lines, rows_of};
pub use sets::{SweepMeasure, SweptSet, read_rows, sets_of};
