//! Attention scores as linear functions: substituted vectors, contributions, and the whole analysis.
//!
//! The score of a head from END to IO is linear in the normalised residual stream at either end once
//! the other end is fixed. [`analyze()`] puts vectors of known meaning in its place (histograms) and
//! splits it into the components that were added to the stream (heatmaps).

mod analyze;
mod array;
mod contributions;
mod effective;
mod head_attention;
mod heatmap;
mod left_out;
mod meter;
mod request;
mod scores;
mod section;
mod section_type;
mod series;
pub mod settings;
mod substitution;
mod timing;
mod vectors;

pub use analyze::{Analyzed, analyze};
pub use array::Array;
pub use contributions::{Contributions, contributions};
pub use head_attention::{HeadAttention, head_attention};
pub use heatmap::{ContributionsSection, Heatmap};
pub use left_out::{LeftOutHeatmap, LeftOutSeries, Why};
pub use request::{Analysis, BatchValues, Observer, Phase, Progress};
pub use section::Section;
pub(crate) use section::SectionRead;
pub use section_type::SectionType;
pub use substitution::{Series, Sides, SubstitutionSection};
pub use timing::Timing;
