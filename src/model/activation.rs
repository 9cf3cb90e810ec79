//! Activation functions of MLPs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The activation function of the MLPs, in the names of `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// GELU in the tanh form: GPT-2's own.
    #[default]
    GeluNew,
    /// GELU by the error function.
    Gelu,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + exp(-x))`.
    Silu,
}

/// The names that `config.json` may contain, and what they mean in `transformers`.
const NAMES: [(&str, Activation); 10] = [
    ("gelu_new", Activation::GeluNew),
    ("gelu_pytorch_tanh", Activation::GeluNew),
    ("gelu_python_tanh", Activation::GeluNew),
    ("gelu_fast", Activation::GeluNew),
    ("gelu_accurate", Activation::GeluNew),
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
];

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, activation)| *activation).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Error::new(
                ErrorKind::Config,
                format!("config.json has the activation_function \"{name}\""),
            )
            .expected(format!("one of {}", names.join(", ")))
            .advice("Another function would give other numbers.")
        })
    }
}

/// The first name: "gelu_new".
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, activation)| activation == self);
        f.pad(name.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_refused() {
        for (name, activation) in NAMES {
            assert_eq!(name.parse::<Activation>().expect(name), activation);
            assert_eq!(activation.to_string().parse::<Activation>().expect(name), activation);
            let json = serde_json::to_string(&activation).expect("is written");
            assert_eq!(json, format!("\"{activation}\""));
        }
        for name in ["quick_gelu", "GELU", ""] {
            let error = name.parse::<Activation>().expect_err(name).to_string();
            assert!(
                error.contains(&format!("\"{name}\"")) && error.contains("gelu_new"),
                "{error}"
            );
        }
    }
}
