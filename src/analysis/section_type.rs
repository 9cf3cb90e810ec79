//! What every kind of section has.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::model::Config;
use crate::names::Head;

/// What one kind of section is made of.
pub trait SectionType: Serialize + DeserializeOwned {
    /// The head that it is about, if it is about one.
    fn head(&self) -> Option<Head>;

    /// The number of prompts that it has values for, where it has values for all prompts of the run.
    fn prompt_count(&self) -> Option<usize> {
        None
    }

    /// Checks that its parts fit each other and a result with `config` and `prompts` prompts.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResultFile`] naming the first part that does not fit.
    fn check(&self, config: &Config, prompts: usize) -> Result<()>;
}
