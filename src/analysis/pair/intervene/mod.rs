//! Interventions: their effect on a pair, recomputed to the end of the model, and the linear prediction.
//!
//! `intervention` is what can be done, as plain data; `prepare` turns it into edits, with `means` over a run's prompts.
//! `baseline` is the pair without intervention, and a frozen head on which predictions are based; `recompute` runs the
//! model, `causal` removes every component in turn, `over_run` applies one intervention to every prompt of a run
//! (`run_batch`). `ask` answers questions with the sections in `sections` and `causal_section`.

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
