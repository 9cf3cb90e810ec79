//! Sweeps: many runs as one. Heads, models, revisions, seeds and sets of prompts, and a row for each head and set.
//!
//! The plan is a [`Sweep`]; two plans are equal if they ask for the same. It consists of shards that can be computed
//! independently: one model, one set of prompts, all heads in one pass. Natively, `SweepRequest` is the user's input,
//! `PreparedSweep` computes shards, in this process or in others, and `Folder` stores finished shards, so that an
//! interrupted sweep can be resumed, whichever process computes its shards. Results can be read anywhere:
//! [`read_rows`], [`SweptSet`].

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod fingerprint;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
mod folder;
mod head_pattern;
mod maps;
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
pub use head_pattern::{HeadPattern, heads_of, seeds_of};
pub use maps::maps;
pub use plan::{Kind, Shard, Sweep, SweptMaker, SweptModel, SweptPrompts};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use prepared::{PreparedSweep, SourceOf};
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub use request::{IOI, SweepRequest};
pub use rows::{SweepRow, lines, rows_of};
pub use sets::{SweepMeasure, SweptSet, read_rows, sets_of};
