//! Roles of heads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The role of a head, by which it can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadRole {
    /// Attends to the preceding token.
    PreviousToken,
    /// Attends to an earlier copy of the token.
    DuplicateToken,
    /// Attends to the token after an earlier copy of the token.
    Induction,
}

impl HeadRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PreviousToken, Self::DuplicateToken, Self::Induction];

    /// "previous token", "duplicate token" or "induction".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreviousToken => "previous token",
            Self::DuplicateToken => "duplicate token",
            Self::Induction => "induction",
        }
    }
}

impl fmt::Display for HeadRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_names_in_texts_and_in_json() {
        for (role, text, json) in [
            (HeadRole::PreviousToken, "previous token", "\"previous_token\""),
            (HeadRole::DuplicateToken, "duplicate token", "\"duplicate_token\""),
            (HeadRole::Induction, "induction", "\"induction\""),
        ] {
            assert_eq!(role.to_string(), text);
            assert_eq!(serde_json::to_string(&role).expect("is written"), json);
            assert_eq!(serde_json::from_str::<HeadRole>(json).expect("is read"), role);
        }
    }
}
