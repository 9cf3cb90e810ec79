//! The effects of an intervention over the prompts of a run.
//!
//! `intervention` lists what can be done to every prompt, as plain data. `section` has the numbers of each prompt
//! before and after. They are computed by the code for single sentences, in `pair/intervene`.

mod intervention;
mod section;

pub use intervention::{RunIntervention, RunReplacement, RunVector};
pub use section::{ChangesSection, Outcomes, PredictedOutcomes};
