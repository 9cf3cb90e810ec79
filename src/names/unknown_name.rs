//! A name that is none of ours.

use std::fmt;

/// A name from a file of elsewhere that is none of those this program writes; it stands for itself.
///
/// Only this room makes one, where reading a text found no other name: what is a `UnknownName` is never one of ours.
///
/// ```
/// use keyside::names::SeriesId;
///
/// let SeriesId::Other(name) = SeriesId::from("my series") else { panic!("not one of ours") };
/// assert_eq!(name.as_str(), "my series");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownName(String);

impl UnknownName {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
