//! The figures of a run about the head's output and directions over all prompts.
//!
//! `words` describes them; its conclusions are based on intervals and controls.

mod directions;
mod source_values;
mod suppression;
mod words;

pub use directions::RecurringDirections;
pub use source_values::SourceValues;
pub use suppression::CopySuppression;
