//! Criteria by which prompts are grouped.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// The criterion by which the prompts of a figure are grouped; written "order", "template" and "name".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SplitBy {
    /// Whether the indirect object or the subject is named first: ABBA or BABA.
    Order,
    /// The template, whatever the order of its names.
    Template,
    /// The indirect object's name.
    Name,
}

impl SplitBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Template, Self::Name];

    /// "order", "template" or "name".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Template => "template",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for SplitBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SplitBy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|by| by.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("prompts can't be split by \"{text}\""))
                .expected(Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for by in SplitBy::ALL {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
        let error = "length".parse::<SplitBy>().expect_err("no split");
        assert_eq!(error.expected, "order, template, name");
    }
}
