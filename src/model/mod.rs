//! The parts of a GPT-2 model: configuration, model card, tokenizer, tensors, weight processing.

mod activation;
pub(crate) mod block;
mod card;
mod checkpoint;
mod config;
mod config_fields;
pub(crate) mod layer_norm;
mod processing;
pub(crate) mod tensors;
mod tokenizer;
mod tokenizer_file;
mod tokenizer_parts;
mod tokenizer_split;

pub use activation::Activation;
pub use card::ModelCard;
pub use checkpoint::Checkpoint;
pub use config::Config;
pub use processing::Processing;
pub use tokenizer::Tokenizer;
pub use tokenizer_parts::TokenizerParts;
