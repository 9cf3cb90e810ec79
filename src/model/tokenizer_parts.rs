//! The older tokenizer files: `vocab.json`, `merges.txt` and `added_tokens.json`.

use std::collections::HashMap;

use crate::error::Result;
use crate::model::tokenizer_file;

/// The contents of the older tokenizer files.
#[derive(Debug, Clone, Default)]
pub struct TokenizerParts {
    /// The id of each token.
    pub vocabulary: HashMap<String, u32>,
    /// Pairs of tokens to merge, in order of priority.
    pub merges: Vec<(String, String)>,
    /// Added tokens, which are matched in the text before merging.
    pub added: HashMap<String, u32>,
}

impl TokenizerParts {
    /// Reads `vocab.json`, or `added_tokens.json`: an object with an id for each token.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Tokenizer`] when it is not one.
    pub fn read_vocabulary(bytes: &[u8]) -> Result<HashMap<String, u32>> {
        tokenizer_file::read_vocabulary(bytes)
    }

    /// Reads `merges.txt`: two tokens a line, lines ended as on any system. Only the first line may be a comment, `#version: 0.2`.
    ///
    /// ```
    /// use keyside::model::TokenizerParts;
    ///
    /// let merges = TokenizerParts::read_merges(b"#version: 0.2\r\n# #\r\n## #")?;
    /// assert_eq!(merges, [("#".into(), "#".into()), ("##".into(), "#".into())]);
    /// # Ok::<(), keyside::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Tokenizer`] for a line of anything else.
    pub fn read_merges(bytes: &[u8]) -> Result<Vec<(String, String)>> {
        tokenizer_file::read_merges(bytes)
    }
}
