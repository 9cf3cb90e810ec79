//! Figures of a run about what the head does over all prompts: what it writes, what it suppresses, which of its directions recur.
//!
//! `words` says what they show; what it concludes stands on intervals and controls.

mod directions;
mod source_values;
mod suppression;
mod words;

pub use directions::RecurringDirections;
pub use source_values::SourceValues;
pub use suppression::CopySuppression;
