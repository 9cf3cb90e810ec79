//! The figures of a result: plots, tables, scripts and descriptions.
//!
//! A kind of figure is a type with [`FigureKind`], in a file of its own and in the list [`KINDS`]. Page, frames in
//! other pages, exports, addresses and command line iterate over that list: they know a figure as a [`FigurePlace`] and
//! a [`Figure`].

mod changes;
mod heatmap;
mod histogram;
mod kind;
mod list;
mod prompts;
mod run;
mod scatter;
mod sentence;
mod shown;
mod view;

pub(crate) mod keys;

pub use heatmap::choice as heatmap_choice;
pub use heatmap::words as heatmap_words;
pub use keys::Query;
pub use kind::{Controls, FigureKind, Subject};
pub use list::{Figure, FigurePlace, KINDS, web_page};
pub use scatter::words as scatter_words;
pub use scatter::{ListView, PromptList, ScatterView, axes, columns, of_group, scatter_plot};
pub use sentence::{
    ComponentGroup, Effect, Measure, PatternPart, SentenceView, causal_words, consequence_words, dots_words,
    down_words, groups, intervention_words, of_side, pattern_part, shown_pattern, unfolded_at, words as sentence_words,
    writer_at,
};
pub use shown::Shown;
pub use view::{Appearance, View};

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod tables_tests;
