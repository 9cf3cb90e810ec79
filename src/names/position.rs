//! Named positions of a prompt.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// The name of a position of a prompt.
///
/// ```
/// use keyside::names::PositionName;
///
/// assert_eq!(PositionName::from("END"), PositionName::End);
/// assert_eq!(PositionName::from("verb").to_string(), "verb");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PositionName {
    /// The query position, "dest".
    Dest,
    /// The key position, "src".
    Src,
    /// First occurrence of the indirect object, "IO".
    Io,
    /// First occurrence of the subject, "S1".
    S1,
    /// Last occurrence of the subject, "S2".
    S2,
    /// The last position before the final name, "END".
    End,
    /// A position named by the author of a prompt.
    Other(UnknownName),
}

impl PositionName {
    /// All known names.
    pub const FIXED: [Self; 6] = [Self::Dest, Self::Src, Self::Io, Self::S1, Self::S2, Self::End];

    /// The text form: "END", "IO", "dest", ...
    pub fn as_str(&self) -> &str {
        match self {
            Self::Dest => "dest",
            Self::Src => "src",
            Self::Io => "IO",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::End => "END",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl From<&str> for PositionName {
    fn from(text: &str) -> Self {
        let found = Self::FIXED.into_iter().find(|known| known.as_str() == text);
        found.unwrap_or_else(|| Self::Other(UnknownName::new(text)))
    }
}

impl From<String> for PositionName {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<PositionName> for String {
    fn from(name: PositionName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for PositionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let texts = PositionName::FIXED.map(|name| name.to_string());
        assert_eq!(texts, ["dest", "src", "IO", "S1", "S2", "END"]);
        assert_eq!(texts.map(PositionName::from), PositionName::FIXED);
        let map: BTreeMap<PositionName, usize> = PositionName::FIXED.into_iter().zip(0..).collect();
        let json = serde_json::to_string(&map).expect("is written");
        assert_eq!(json, r#"{"dest":0,"src":1,"IO":2,"S1":3,"S2":4,"END":5}"#);
        assert_eq!(
            serde_json::from_str::<BTreeMap<PositionName, usize>>(&json).expect("is read"),
            map
        );
    }

    #[test]
    fn other_names_stand_for_themselves() {
        for text in ["", "end", "S", "S3", " IO", "verb"] {
            assert_eq!(PositionName::from(text), PositionName::Other(UnknownName::new(text)));
            assert_eq!(PositionName::from(text).to_string(), text);
        }
    }
}
