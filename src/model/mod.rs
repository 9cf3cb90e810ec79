//! What a model of the GPT-2 architecture is: configuration, tokenizer, weight processing, what a checkpoint says of itself.

mod card;
mod config;
mod processing;
mod tokenizer;
mod tokenizer_file;

pub use card::ModelCard;
pub use config::Config;
pub use processing::Processing;
pub use tokenizer::Tokenizer;
