//! The page's state and its words, as plain data: nothing here knows a browser, and all of it is tested natively.
//!
//! [`address`] (the state in a link), [`form`] (controls and their validation), [`session`] (which run is shown, what the
//! worker is doing), [`question_state`] (what is asked of a sentence), [`trials`] (what is tried at its pair), [`picking`] (which files are a model), [`presets`] and [`trial_form`] (what can be), [`run_presets`] (what can be in every prompt), [`head_names`] (what heads are called), [`library`] (which models are stored), [`sentence_lines`] (several sentences at hand), [`story`] (what the data say), [`steps`] (the story step by step), [`ablation`] (its last step on the model at hand), [`last_line`] (the notebook's last line), [`split`] (what they say by kind of prompt), [`sweep_maps`] (what a sweep has found, and how a head of it is run), [`prompt_table`] (a page of the list of prompts), [`glossary`], [`sharing`] (what links hold), [`embed`] (the page as a figure in another page), [`export`] (what can
//! be taken along), [`first_view`] (what stands there until the page has started), [`method`] (the method page), [`words`], [`figure_words`], [`prompt_words`]
//! and [`download`] (every other sentence). How the figures are shown, and what is said about each, is in [`crate::figure`]. What
//! shows it is in the room `web`.

pub mod ablation;
pub mod address;
pub mod chosen;
pub mod consequences;
pub mod download;
pub mod embed;
pub mod export;
pub mod figure_words;
pub mod first_view;
pub mod form;
pub mod glossary;
pub mod guided_examples;
pub mod head_names;
pub mod last_line;
pub mod library;
pub mod method;
pub mod picking;
pub mod presets;
pub mod prompt_table;
pub mod prompt_words;
pub mod question_state;
pub mod run_presets;
pub mod sentence_lines;
pub mod session;
pub mod sharing;
pub mod split;
pub mod steps;
pub mod story;
pub mod sweep_maps;
pub mod trial_form;
pub mod trials;
pub mod words;

mod partial;
mod state;
