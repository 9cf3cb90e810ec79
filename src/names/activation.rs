//! The activations of one head.

use std::fmt;
use std::str::FromStr;

use super::{BlockHook, Side};
use crate::error::{Error, ErrorKind, Result};

/// An activation of a head at one position, written "z", "q", "k", "v" and "pattern".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeadActivation {
    /// The attention-weighted sum of values, `[d_head]`, which W_O maps to the residual stream.
    Z,
    /// The query, `[d_head]`.
    Q,
    /// The key, `[d_head]`.
    K,
    /// The value, `[d_head]`.
    V,
    /// Attention probabilities of the position, `[pos]` up to itself.
    Pattern,
}

impl HeadActivation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Z, Self::Q, Self::K, Self::V, Self::Pattern];

    /// "z", "q", "k", "v" or "pattern".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Z => "z",
            Self::Q => "q",
            Self::K => "k",
            Self::V => "v",
            Self::Pattern => "pattern",
        }
    }

    /// The hook point where it is captured and edited.
    pub const fn hook(self) -> BlockHook {
        match self {
            Self::Z => BlockHook::Z,
            Self::Q => BlockHook::Q,
            Self::K => BlockHook::K,
            Self::V => BlockHook::V,
            Self::Pattern => BlockHook::Pattern,
        }
    }

    /// The side of a pair of positions that it belongs to: keys and values are the source's, all others the destination's.
    pub const fn side(self) -> Side {
        match self {
            Self::K | Self::V => Side::Key,
            Self::Z | Self::Q | Self::Pattern => Side::Query,
        }
    }
}

impl fmt::Display for HeadActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HeadActivation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|activation| activation.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("{text:?} is not an activation of a head"))
                .expected(Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_is_read_as_it_is_written() {
        for activation in HeadActivation::ALL {
            assert_eq!(activation.to_string().parse(), Ok(activation));
            assert!(activation.hook().is_of_head());
        }
        let error = "x".parse::<HeadActivation>().expect_err("no activation");
        assert_eq!(error.expected, "z, q, k, v, pattern");
    }
}
