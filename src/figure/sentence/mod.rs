//! The figures of one sentence: attention of all heads, pattern of one head, terms of one score, substituted vectors,
//! consequences.

mod causal;
pub mod causal_words;
mod component_effects;
mod component_map;
pub mod consequence_words;
mod directions;
mod dots;
pub mod dots_words;
pub mod down_words;
mod effects;
mod heads;
mod intervention;
pub mod intervention_words;
mod keys;
mod layer;
mod lens;
mod pattern;
mod script;
mod table;
mod tokens;
mod view;
pub mod words;
mod writers;
mod writes;

pub use causal::Causal;
pub use component_effects::ComponentEffects;
pub use directions::{DirectionSides, HeadDirections};
pub use dots::Dots;
pub use effects::Effects;
pub use heads::Heads;
pub use intervention::Interventions;
pub use layer::Layer;
pub use lens::Lens;
pub use pattern::{Pattern, pattern_part, shown_pattern};
pub use table::{Both, groups, unfolded_at};
pub use tokens::Tokens;
pub use view::{ComponentGroup, Effect, Measure, PatternPart, SentenceView};
pub use writers::{Writers, of_side, writer_at};
pub use writes::HeadWrites;
