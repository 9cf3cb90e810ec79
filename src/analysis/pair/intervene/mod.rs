//! Interventions: what becomes of a pair when something else is put in a place, recomputed to the end of the model, beside what the
//! linear split predicts.
//!
//! `intervention` is what can be put where, as plain data; `prepare` makes edits of it, with `means` over a run's prompts. `baseline` is the pair as it is, and a frozen head of it, from which predictions come; `recompute` goes through the model,
//! `causal` takes every component out in turn, `over_run` does one thing to every prompt of a run (`run_batch`). `ask` answers questions in `sections` and `causal_section`.

mod ask;
mod baseline;
mod causal;
mod causal_section;
mod intervention;
mod means;
mod over_run;
mod prepare;
mod recompute;
mod run_batch;
mod sections;

pub use ask::{causal_map, intervene};
pub use causal_section::{Agreement, CausalCell, CausalSection, CausalSide, Changes};
pub use intervention::{Extent, Intervention, InterventionRequest, Replacement, Vector};
pub(crate) use over_run::changes;
pub(crate) use run_batch::OverRun;
pub use sections::{Effect, InterventionSection, Outcome, Predicted};
