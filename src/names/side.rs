//! One side of an attention score.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// One side of a score, written "query" and "key".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The query, through W_Q and b_Q.
    Query,
    /// The key, through W_K and b_K.
    Key,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Query, Self::Key];

    /// "query" or "key".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Key => "key",
        }
    }

    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Query => Self::Key,
            Self::Key => Self::Query,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Side {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|side| side.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a side of a score"))
                .expected(Self::ALL.map(Self::as_str).join(" or "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_read_as_it_is_written() {
        for side in Side::ALL {
            assert_eq!(side.to_string().parse(), Ok(side));
            assert_eq!(side.other().other(), side);
            assert_ne!(side.other(), side);
        }
        assert_eq!("key".parse(), Ok(Side::Key));
        let error = "value".parse::<Side>().expect_err("no side");
        assert_eq!(error.expected, "query or key");
    }
}
