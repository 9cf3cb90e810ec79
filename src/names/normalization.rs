//! How a vector is normalized that stands in place of the normalized residual stream.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// What is done to a vector before a query or a key is made of it in place of the residual stream, written "notebook" and "layer_norm".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Normalization {
    /// `x / std(x)`, the unbiased deviation over `d_model`, without eps and without centering: as the notebook does it.
    #[default]
    Notebook,
    /// `(x - mean) / sqrt(mean((x - mean)^2) + eps)`, with the model's eps: as the head itself does it.
    LayerNorm,
}

impl Normalization {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Notebook, Self::LayerNorm];

    /// "notebook" or "layer_norm".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notebook => "notebook",
            Self::LayerNorm => "layer_norm",
        }
    }

    /// What becomes of a vector, for people: "divided by its unbiased standard deviation".
    pub const fn done(self) -> &'static str {
        match self {
            Self::Notebook => "divided by its unbiased standard deviation",
            Self::LayerNorm => "put through LayerNorm",
        }
    }

    /// LayerNorm itself where that is `exact`, else the notebook's.
    pub const fn of(exact: bool) -> Self {
        match exact {
            true => Self::LayerNorm,
            false => Self::Notebook,
        }
    }

    /// Whether it is what the head itself does.
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::LayerNorm)
    }

    /// Whether it is the one that results without a word of it have.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Normalization {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("{text:?} is no way to normalize a vector"))
                .expected(Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalization_is_read_as_it_is_written() {
        for normalization in Normalization::ALL {
            assert_eq!(normalization.to_string().parse(), Ok(normalization));
        }
        let error = "std".parse::<Normalization>().expect_err("no normalization");
        assert_eq!(error.expected, "notebook, layer_norm");
    }
}
