//! Training the bundled model: a small GPT-2, from scratch, on three tasks that attention solves (feature `cli`).
//!
//! The tasks are IOI prompts ([`Split`]), lists in which an answer must be looked up ([`List`]) and random tokens that
//! are repeated ([`Repeats`]). The program `train` walks through it: cut GPT-2's vocabulary ([`cut_tokenizer`]), keep some
//! name pairs and templates back, write some heads of layer 0 into the initial weights ([`initial_weights`]), train
//! ([`Transformer`]) on what a [`Curriculum`] draws, write the checkpoint, and measure what was written ([`accuracy`],
//! [`HeadTable`]). In the first half of the training some heads are guided to where they should look ([`Guide`];
//! Deshpande and Narasimhan 2020). Every draw has a fixed seed, and all sums have a fixed order, so one machine writes
//! the same file each time.
//!
//! [`Synthetic`] makes checkpoints of full size with random weights, for tests.

mod curriculum;
mod heads;
mod lists;
mod measure;
mod ops;
mod prompts;
mod repeats;
mod sequence;
mod start;
mod synthetic;
mod transformer;
mod vocabulary;

pub use crate::analysis::CellAttention;
pub use curriculum::{CONTENT_HEAD, Curriculum, INDUCTION_HEAD, SUBJECT_HEAD};
pub use heads::{CARD_PROMPTS, Column, HeadTable, columns, label};
pub use lists::{List, ListSample};
pub use measure::{Accuracy, accuracy, lists_accuracy, measure, repeats_accuracy};
pub use prompts::{HELD_OUT_TEMPLATES, Pairs, Sample, Split, Templates};
pub use repeats::Repeats;
pub use sequence::{Guide, Sequence, Target};
pub use start::{DUPLICATE_TOKEN_HEAD, POSITION_WIDTH, PREVIOUS_TOKEN_HEAD, TWO_BACK_HEAD, Weight, initial_weights};
pub use synthetic::Synthetic;
pub use transformer::{Forward, Transformer};
pub use vocabulary::{EXAMPLES, FIRST_MERGES, cut_tokenizer, texts_of};
