//! The model: configuration, tokenizer, weight processing, and the forward pass with its captures.

mod config;
mod head;
mod processing;
mod tokenizer;

pub use config::Config;
pub use head::Head;
pub use processing::Processing;
pub use tokenizer::Tokenizer;
