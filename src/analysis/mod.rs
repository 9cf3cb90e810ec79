//! Analyses of attention scores: substituted vectors, contributions of components, interventions.
//!
//! The score of a head from END to IO is linear in the normalized residual stream at either end once the other end is
//! fixed. [`analyze()`] replaces the stream by vectors of known meaning (histograms), and splits it into the components
//! that were added to it (heatmaps).
//!
//! An analysis of a run (in the list: with `by` and its analyzer) has a folder of its own; those of a sentence are in `pair`,
//! or in a file here. The list of analyses is at the end of this file; the interface is in
//! `analyzer.rs`.

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
mod run_cache;
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

pub use analyze::{Analyzed, analyze, analyze_next};
pub use array::Array;
pub use cell_attention::CellAttention;
#[cfg(feature = "cli")]
pub(crate) use cell_attention::{Cells, measure_cells};
pub use changes::{Outcomes, PredictedOutcomes, RunIntervention, RunReplacement, RunVector};
pub use contributions::{Contributions, Heatmap, contributions};
pub use head_attention::{HeadAttention, head_attention};
pub use head_effects::{Patched, TargetPrompt, Without};
pub use omitted::{OmissionReason, OmittedHeatmap, OmittedSeries};
pub use probes::{HeadRoles, MIN_ROLE_MEASURE, Probes, head_roles, probes, sequences as probe_sequences};
pub use request::{Analysis, BatchValues, Observer, Phase, Progress};
pub use run_cache::RunCache;
pub use run_directions::GroupsOverPrompts;
pub use run_writes::Chances;
pub(crate) use section::SectionRead;
pub use section_type::SectionType;
pub use substitution::{Series, Sides};
pub use sweep_scores::{ScoresOfHeads, scores_of_heads};
pub use timing::Timing;

// All analyses, with the kind (in result files), name and type of the section that each finds.
sections! {
    /// Scores and probabilities with substituted vectors: the histograms.
    "substitution" => Substitution(substitution::SubstitutionSection) by SubstitutionAnalyzer;
    /// Contributions of components to the score: the heatmaps.
    "contributions" => Contributions(contributions::ContributionsSection) by ContributionsAnalyzer;
    /// What the head writes, over the prompts of a run.
    "run_writes" => RunWrites(run_writes::RunWritesSection) by RunWritesAnalyzer;
    /// Which of the head's directions recur over the prompts of a run.
    "run_directions" => RunDirections(run_directions::RunDirectionsSection) by RunDirectionsAnalyzer;
    /// The attention of every head from one position of a sentence.
    "attention" => Attention(pair::AttentionSection);
    /// The most likely tokens after one position of a sentence.
    "next" => Next(pair::NextSection);
    /// The score of one pair of positions, decomposed on both sides.
    "pair" => Pair(pair::PairSection);
    /// The attention patterns of all heads of a layer.
    "layer" => Layer(pair::LayerSection);
    /// One component of the score of a pair, decomposed further.
    "down" => DrillDown(pair::DrillDownSection);
    /// The direct effect of every head on a logit difference, as means over prompts.
    "head_effects" => HeadEffects(head_effects::HeadEffectsSection);
    /// Direct effects of all components on the next token.
    "effects" => Effects(pair::EffectsSection);
    /// Which tokens a head raises and lowers.
    "writes" => Writes(pair::WritesSection);
    /// Predictions of the next token after each layer (logit lens).
    "lens" => Lens(pair::LensSection);
    /// The score as a sum over the singular directions of its head.
    "directions" => Directions(pair::DirectionsSection);
    /// The score of a pair with other vectors as the head's input.
    "substituted" => Substituted(pair::SubstitutedSection);
    /// The effects of interventions at a pair.
    "intervention" => Intervention(pair::InterventionSection);
    /// The effect of removing each component of the score of a pair.
    "causal" => Causal(pair::CausalSection);
    /// The effects of an intervention on every prompt of a run.
    "changes" => Changes(changes::ChangesSection);
}
