//! The result file, and the statistics that plots are made of.

mod bins;
mod by_prompt;
mod comparison;
mod correlation;
mod document;
mod omitted;
mod paired;
mod position_words;
mod read;
mod record;
mod recorded;
mod run_bands;
mod sections;
mod split;
mod spread;
mod stats;
mod version_1;

pub use bins::Bins;
pub(crate) use bins::nice_size;
pub use comparison::{Compare, Comparison, ComparisonJob, Evidence, Pair, at_once};
pub use correlation::Correlation;
pub use document::{FORMAT, ModelInfo, ResultFile};
pub use paired::PairedDifference;
pub use read::MAX_BYTES;
pub use record::{PairToRecord, Recorded};
pub use recorded::{MAX_RECORDING_BYTES, RECORDING_FORMAT, RecordedSentence, Recording, Rows};
pub use split::PromptGroup;
pub use spread::{Group, Groups, Interval, bootstrap_mean, two_groups};
pub use stats::{BoxStats, mean, percentile};
