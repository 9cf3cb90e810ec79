//! Helpers shared by the fuzz targets.

use futures::future::LocalBoxFuture;
use keyside::checkpoint::{MemorySource, Sink, Source};
use keyside::{Error, Result};
use std::ops::Range;

/// Longest message that is still a message.
const LONGEST_MESSAGE: usize = 4096;

/// `config.json` of the smallest model that has every part.
pub const CONFIG: &str = r#"{"model_type": "gpt2", "n_layer": 1, "n_head": 2, "n_embd": 2, "n_inner": 2,
"vocab_size": 8, "n_positions": 4, "bos_token_id": 7}"#;

/// A `tokenizer.json` that fits [`CONFIG`].
pub const TOKENIZER: &str = include_str!("../corpus/tokenizer/byte_level");

/// Passes values on; of an error it checks that it is one line that can be shown.
pub fn checked<T>(outcome: Result<T>) -> Option<T> {
    outcome.map_err(|error| check_message(&error)).ok()
}

fn check_message(error: &Error) {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "more than a line: {message:?}");
    assert!(message.len() <= LONGEST_MESSAGE, "{} bytes of message", message.len());
    assert!(message.ends_with('.'), "not a sentence: {message:?}");
}

/// The files of a [`MemorySource`], of unknown length and in pieces of seven bytes: what a slow server makes of them.
pub struct Dribble(pub MemorySource);

impl Source for Dribble {
    fn location(&self) -> String {
        self.0.location()
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let bytes = self.0.read(file, range).await?;
            bytes.chunks(7).try_for_each(sink)
        })
    }
}
