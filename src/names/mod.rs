//! The nouns of the domain as types. Their text forms are written and parsed only here.
//!
//! Types whose names other programs may extend accept any text ([`UnknownName`]); the others reject unknown texts.

mod activation;
mod by_text;
mod change;
mod component;
mod engine;
mod figure;
mod grid;
mod head;
mod heatmap;
mod histogram;
mod hook;
mod measure;
mod normalization;
mod position;
mod prompt_series;
mod relative;
mod role;
mod series;
mod series_in_sentence;
mod side;
mod split;
mod unknown_name;

pub use activation::HeadActivation;
pub use change::ChangeMeasure;
pub use component::Component;
pub use engine::{EngineChoice, EngineName};
pub use figure::{FigureId, FigureName};
pub use grid::{CellName, Column, Grid, Row};
pub use head::Head;
pub use heatmap::{Facet, HeatmapId, HeatmapParts, HeatmapVariant, SplitPart};
pub use histogram::HistogramId;
pub use hook::{BlockHook, HookPoint};
pub use measure::Measure;
pub use normalization::Normalization;
pub use position::PositionName;
pub use prompt_series::PromptSeries;
pub use relative::Relative;
pub use role::HeadRole;
pub use series::SeriesId;
pub use side::Side;
pub use split::SplitBy;
pub use unknown_name::UnknownName;
