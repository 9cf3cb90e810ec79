//! Unknown names in files of other programs.

use std::fmt;

/// A name in another program's file that is not one of this program's. It is kept as it is.
///
/// Only this module can create one, after parsing as a known name has failed, so that an `UnknownName` is never a known
/// name.
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
