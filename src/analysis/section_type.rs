//! The interface that every type of section implements.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::model::Config;
use crate::names::Head;

/// A type of section.
pub trait SectionType: Serialize + DeserializeOwned {
    /// The head that it is about, if any.
    fn head(&self) -> Option<Head>;

    /// Number of prompts, if it has values for all prompts of the run.
    fn prompt_count(&self) -> Option<usize> {
        None
    }

    /// Checks that its parts fit each other and a result with `config` and `prompts` prompts.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResultFile`] naming the first part that does not fit.
    fn check(&self, config: &Config, prompts: usize) -> Result<()>;
}
