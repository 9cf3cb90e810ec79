//! What an intervention changes, over the prompts of a run.
//!
//! `intervention` is what can be done to every prompt, as plain data; the section has the numbers of each prompt before it and after. They are
//! found by the same code as for one sentence, in `pair/intervene`.

mod intervention;
mod section;

pub use intervention::{RunIntervention, RunReplacement, RunVector};
pub use section::{ChangesSection, Outcomes, PredictedOutcomes};
