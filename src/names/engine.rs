//! The engines that can compute a forward pass.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// An engine, written "gemm", "packed", "relaxed" and "gpu".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// Products by the gemm crate, through candle.
    Gemm,
    /// keyside's own kernels on weights that are packed once; multiplication, then addition.
    Packed,
    /// The same kernels with fused multiply-add where the CPU has it (relaxed SIMD).
    Relaxed,
    /// A GPU, by WebGPU.
    Gpu,
}

impl EngineName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gemm, Self::Packed, Self::Relaxed, Self::Gpu];

    /// "gemm", "packed", "relaxed" or "gpu".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gemm => "gemm",
            Self::Packed => "packed",
            Self::Relaxed => "relaxed",
            Self::Gpu => "gpu",
        }
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EngineName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|engine| engine.as_str() == text);
        named.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|engine| engine.as_str()).collect();
            Error::new(ErrorKind::Request, format!("there is no engine {text:?}"))
                .expected(format!("one of {}", names.join(", ")))
        })
    }
}

/// The requested engine and number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EngineChoice {
    /// The engine; None for the fastest one available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
    /// The number of threads; None for the number of cores, at most 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
}

impl EngineChoice {
    /// Whether both are None.
    pub fn is_automatic(&self) -> bool {
        *self == Self::default()
    }
}

/// Limit of the number of threads.
const MAX_THREADS: u32 = 64;

impl fmt::Display for EngineChoice {
    /// "auto", "relaxed", "packed on 2", "auto on 1".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.engine.map_or(AUTOMATIC, EngineName::as_str))?;
        match self.threads {
            Some(threads) => write!(f, "{ON}{threads}"),
            None => Ok(()),
        }
    }
}

const AUTOMATIC: &str = "auto";
const ON: &str = " on ";

impl FromStr for EngineChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (engine, threads) = match text.trim().split_once(ON) {
            Some((engine, threads)) => (engine, Some(threads)),
            None => (text.trim(), None),
        };
        let engine = match engine {
            AUTOMATIC => None,
            name => Some(name.parse()?),
        };
        let number = |text: &str| {
            let number = text.parse().ok().filter(|number| (1..=MAX_THREADS).contains(number));
            number.ok_or_else(|| {
                Error::new(ErrorKind::Request, format!("{text:?} is not a number of threads"))
                    .expected(format!("a whole number from 1 to {MAX_THREADS}"))
            })
        };
        Ok(Self {
            engine,
            threads: threads.map(number).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for engine in EngineName::ALL.into_iter().map(Some).chain([None]) {
            for threads in [None, Some(1), Some(MAX_THREADS)] {
                let choice = EngineChoice { engine, threads };
                assert_eq!(choice.to_string().parse(), Ok(choice));
                assert_eq!(choice.is_automatic(), choice.to_string() == "auto");
            }
        }
        for text in [
            "",
            "fast",
            "auto on",
            "auto on 0",
            "auto on 65",
            "packed on two",
            "auto on -1",
        ] {
            assert!(text.parse::<EngineChoice>().is_err(), "{text:?}");
        }
        let error = "fast".parse::<EngineChoice>().unwrap_err();
        assert!(error.expected.contains("packed"), "{error}");
    }
}
