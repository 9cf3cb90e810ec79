//! Attention scores as linear functions: substituted vectors, contributions, and the whole analysis.
//!
//! The score of a head from END to IO is linear in the normalized residual stream at either end once
//! the other end is fixed. [`analyze()`] puts vectors of known meaning in its place (histograms) and
//! splits it into the components that were added to the stream (heatmaps).
//!
//! What can be found is a list of analyses, each in a folder of its own: see the end of this file, and `analyzer.rs` for what one is.

mod analyze;
mod analyzer;
mod array;
mod cell_attention;
mod changes;
mod contributions;
mod effective;
mod head_attention;
mod head_effects;
mod omitted;
pub mod pair;
mod probes;
mod progress;
mod progress_tracker;
mod request;
mod run;
mod run_directions;
mod run_writes;
mod scores;
#[macro_use]
mod section;
mod section_type;
pub mod settings;
mod substitution;
mod sweep_scores;
mod timing;
mod tree;

pub use analyze::{Analyzed, analyze};
pub use array::Array;
pub use cell_attention::CellAttention;
#[cfg(feature = "cli")]
pub(crate) use cell_attention::{Cells, measure_cells};
pub use changes::{Outcomes, PredictedOutcomes, RunIntervention, RunReplacement, RunVector};
pub use contributions::{Contributions, Heatmap, contributions};
pub use head_attention::{HeadAttention, head_attention};
pub use head_effects::{Patched, TargetPrompt, Without};
pub use omitted::{OmissionReason, OmittedHeatmap, OmittedSeries};
pub use probes::{NAMED_FROM, NamedHeads, Probes, named_heads, probes, sequences as probe_sequences};
pub use request::{Analysis, BatchValues, Observer, Phase, Progress};
pub use run_directions::GroupsOverPrompts;
pub use run_writes::Chances;
pub(crate) use section::SectionRead;
pub use section_type::SectionType;
pub use substitution::{Series, Sides};
pub use sweep_scores::{ScoresOfHeads, scores_of_heads};
pub use timing::Timing;

// All analyses: what each finds is a section of the result, of this kind and type.
sections! {
    /// Scores and probabilities with substituted vectors: the histograms.
    "substitution" => Substitution(substitution::SubstitutionSection) by SubstitutionAnalyzer;
    /// Contributions of components to the score: the heatmaps.
    "contributions" => Contributions(contributions::ContributionsSection) by ContributionsAnalyzer;
    /// What the head writes, over the prompts.
    "run_writes" => RunWrites(run_writes::RunWritesSection) by RunWritesAnalyzer;
    /// Which of its directions recur over them.
    "run_directions" => RunDirections(run_directions::RunDirectionsSection) by RunDirectionsAnalyzer;
    /// Where every head looks from one position of a sentence.
    "attention" => Attention(pair::AttentionSection);
    /// The likeliest tokens after that position.
    "next" => Next(pair::NextSection);
    /// The score of one pair of positions, taken apart on both sides.
    "pair" => Pair(pair::PairSection);
    /// Where all heads of a layer look from every position.
    "layer" => Layer(pair::LayerSection);
    /// What one component of that score is a sum of.
    "down" => Down(pair::DownSection);
    /// What every head adds to a difference of logits, as means over prompts: recorded.
    "head_effects" => HeadEffects(head_effects::HeadEffectsSection);
    /// Direct effects of all components on the next token.
    "effects" => Effects(pair::EffectsSection);
    /// Which tokens a head raises and lowers.
    "writes" => Writes(pair::WritesSection);
    /// What would come next after each layer.
    "lens" => Lens(pair::LensSection);
    /// The score as a sum over the directions of its head.
    "directions" => Directions(pair::DirectionsSection);
    /// The same score with other vectors in place of what the head reads.
    "substituted" => Substituted(pair::SubstitutedSection);
    /// What interventions at that pair do.
    "intervention" => Intervention(pair::InterventionSection);
    /// What every component of that score does when it is taken out.
    "causal" => Causal(pair::CausalSection);
    /// What an intervention changes in every prompt of a run.
    "changes" => Changes(changes::ChangesSection);
}
