//! Training the bundled model: a small GPT-2, from scratch, on IOI prompts alone (feature `cli`).
//!
//! The program `train` walks through it: cut GPT-2's vocabulary to the dataset's words ([`cut_tokenizer`]),
//! keep some name pairs and templates back ([`Split`]), train ([`Transformer`]), write the checkpoint,
//! and measure what was written ([`measure()`], [`Attention`]). Every draw has a fixed seed, and all sums have a
//! fixed order, so one machine writes the same file each time.
//!
//! [`Synthetic`] makes checkpoints of full size with random weights, for tests.

mod measure;
mod ops;
mod prompts;
mod synthetic;
mod transformer;
mod vocabulary;

pub use measure::{Accuracy, Attention, accuracy, measure};
pub use prompts::{HELD_OUT_TEMPLATES, Pairs, Sample, Split, Templates};
pub use synthetic::Synthetic;
pub use transformer::{Forward, Transformer};
pub use vocabulary::{cut_tokenizer, texts_of};
