//! The page's state and texts as plain data. Nothing here depends on a browser, and everything is tested natively.
//!
//! [`session`] is the central state: the shown result, the run, the worker. Its parts: [`question_state`] (question
//! about a sentence), [`trials`] (interventions and causal maps), [`ablation`] (the last step of the story on the
//! selected model), [`head_names`], [`library`] (stored models). [`pending_request`] is what requests to the
//! worker have in common.
//!
//! Input: [`form`] (controls and their validation), [`sentence_lines`] (several sentences), [`trial_form`], [`presets`]
//! and [`run_presets`] (interventions), [`picking`] (local files), [`address`] (the state as a URL).
//!
//! Texts: [`story`] (conclusions from the data), [`steps`] (the steps of the story), [`last_line`] (the notebook's last
//! line), [`guided_examples`], [`glossary`], [`consequences`] (cards below a decomposed score), [`sharing`] (links),
//! [`download`], [`prompt_words`], [`figure_words`], [`words`] (all others).
//!
//! Tables: [`split`] (series by kind of prompt), [`prompt_table`], [`sweep_maps`] (opened sweeps), [`export`].
//!
//! Other pages: [`embed`] (a figure in another page), [`first_view`] (the static first view), [`method`] (the method
//! page).
//!
//! Figures and their texts are in [`crate::figure`]; `web` shows everything.

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
pub mod pending_request;
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
