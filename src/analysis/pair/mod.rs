//! Analysis of one sentence and one pair of its positions: the attention of every head from one of them, and the
//! decomposition of one head's score between the two.
//!
//! `position_pair` is the pair. `attention` is the attention of all heads, `score_decomposition` decomposes a score on both sides at
//! once, `drill_down` (with `part_path`) decomposes it further. `direct` computes direct effects of all components on the
//! logits of two `targets`, `writes` the tokens that a head raises and lowers, `effects_of_heads` the effects of all
//! heads as means over prompts, `directions` the singular directions of the head, `substituted` the score with other
//! vectors as the head's input. A `sentence` that has gone through the model is kept for the next question, together
//! with everything else in `question_cache`; `ask` answers a `question` in `sections` of a result (`effect_sections`,
//! `direction_section`). `intervene` changes activations and recomputes. `measures` gives statistics of all heads,
//! before one is chosen; `layer` has the patterns of a whole layer.

mod ask;
mod attention;
mod check;
mod direct;
mod direction_section;
mod directions;
mod drill_down;
mod effect_sections;
mod effects_of_heads;
mod intervene;
mod layer;
mod measures;
mod part_path;
mod position_pair;
mod question;
mod question_cache;
mod relative;
mod score_decomposition;
mod sections;
mod sentence;
mod substituted;
mod substituted_section;
mod targets;
mod token;
mod writes;

pub use ask::{ask, go_on};
pub use attention::{Attention, attention, likeliest};
pub use direct::{DirectEffects, Written};
pub use direction_section::{DirectionExtremes, DirectionsSection, OpenedDirection, TokenMatrix};
pub(super) use directions::ScoreRow;
pub use directions::{AlongDirection, DirectionTokens, Directions, ExtremeTokens, QkSvd, direction_tokens};
pub use drill_down::drill_down;
pub use effect_sections::{EffectsSection, LensLayer, LensSection, WritesSection};
pub use effects_of_heads::{TargetText, head_effects, without_largest};
pub use intervene::{
    Agreement, CausalCell, CausalSection, CausalSide, Changes, Effect, Extent, Intervention, InterventionRequest,
    InterventionSection, Outcome, Predicted, Replacement, Vector, causal_map, intervene,
};
pub(crate) use intervene::{OverRun, changes};
pub(crate) use layer::small_pattern;
pub use layer::{LAYER_ROWS, LayerSection};
pub use measures::{FirstPair, Measures, Survey, survey};
pub use part_path::{NEURONS_SHOWN, Part, PartDecomposition, PartPath, RestOfNeurons, Step};
pub use position_pair::Pair;
pub use question::Question;
pub use question_cache::QuestionCache;
pub use score_decomposition::{ScoreDecomposition, decomposition, key_side, query_side};
pub use sections::{AttentionSection, DrillDownSection, NextSection, NextToken, PairSection};
pub use sentence::Sentence;
pub use substituted::SubstitutionRequest;
pub use substituted_section::{Band, RunBands, SampledToken, SubstitutedSection};
pub(super) use targets::LIKELIEST;
pub use targets::{Between, TargetTexts, token_of};
pub use token::{LabeledToken, TokenValue};
pub use writes::{Valued, Writes};
