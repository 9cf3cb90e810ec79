//! How vectors are normalized that replace the normalized residual stream.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// The normalization of a vector that replaces the residual stream as the input of a query or key, written "notebook"
/// and "layer_norm".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Normalization {
    /// `x / std(x)`, the unbiased deviation over `d_model`, without eps and without centering: as in the notebook.
    #[default]
    Notebook,
    /// `(x - mean) / sqrt(mean((x - mean)^2) + eps)`, with the model's eps: as in the head itself.
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

    /// A description: "divided by its unbiased standard deviation".
    pub const fn done(self) -> &'static str {
        match self {
            Self::Notebook => "divided by its unbiased standard deviation",
            Self::LayerNorm => "put through LayerNorm",
        }
    }

    /// LayerNorm if `exact`, otherwise the notebook's.
    pub const fn of(exact: bool) -> Self {
        if exact { Self::LayerNorm } else { Self::Notebook }
    }

    /// Whether it is that of the head itself.
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::LayerNorm)
    }

    /// Whether it is the default in results that do not name it.
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
