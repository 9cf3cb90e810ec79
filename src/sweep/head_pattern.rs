//! Parses lists of heads and seeds: `0.*,10.7`, `0..3,17`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::Head;

/// Limit of the seeds of one list.
const MAX_SEEDS: u64 = 100_000;

/// A pattern of heads: `10.7`, `10.*`, `*.7` or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HeadPattern {
    /// The layer; None for all.
    pub layer: Option<usize>,
    /// The number within the layer; None for all.
    pub head: Option<usize>,
}

impl FromStr for HeadPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let part = |text: &str| match text.trim() {
            "*" => Some(None),
            number => number.parse().ok().map(Some),
        };
        let read = match text.trim() {
            "*" => Some((None, None)),
            text => text
                .split_once('.')
                .and_then(|(layer, head)| Some((part(layer)?, part(head)?))),
        };
        let (layer, head) = read.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("\"{text}\" names no heads"))
                .expected("a head or a star for any, such as 10.7, 10.*, *.7 or *")
        })?;
        Ok(Self { layer, head })
    }
}

impl fmt::Display for HeadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |number: Option<usize>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
        write!(f, "{}.{}", part(self.layer), part(self.head))
    }
}

impl From<HeadPattern> for String {
    fn from(pattern: HeadPattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for HeadPattern {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// The heads of a model of `config` that match any of `patterns`, by layer.
///
/// # Errors
/// [`ErrorKind::Request`] where one of them names none.
pub fn heads_of(patterns: &[HeadPattern], config: &Config) -> Result<Vec<Head>> {
    let mut heads = BTreeSet::new();
    for pattern in patterns {
        if let (Some(layer), Some(head)) = (pattern.layer, pattern.head) {
            config.check_head(Head::new(layer, head))?;
        }
        let layers = (0..config.n_layer).filter(|layer| pattern.layer.is_none_or(|wanted| wanted == *layer));
        let of_layer = |layer| {
            let numbers = (0..config.n_head).filter(|head| pattern.head.is_none_or(|wanted| wanted == *head));
            numbers.map(move |head| Head::new(layer, head))
        };
        let found: Vec<Head> = layers.flat_map(of_layer).collect();
        if found.is_empty() {
            let (layers, heads) = (config.n_layer.saturating_sub(1), config.n_head.saturating_sub(1));
            return Err(
                Error::new(ErrorKind::Request, format!("the model has no head {pattern}"))
                    .expected(format!("layers from 0 to {layers}, heads from 0 to {heads}")),
            );
        }
        heads.extend(found);
    }
    Ok(heads.into_iter().collect())
}

/// Parses a list of seeds: numbers and ranges, `0..3` without its end and `0..=3` with it; sorted, without duplicates.
///
/// # Errors
/// [`ErrorKind::Request`] for what is no such list, and one of more than 100,000.
///
/// ```
/// assert_eq!(keyside::sweep::seeds_of("7,0..3")?, [0, 1, 2, 7]);
/// assert_eq!(keyside::sweep::seeds_of("0..=3")?, [0, 1, 2, 3]);
/// assert!(keyside::sweep::seeds_of("3..3").is_err());
/// # Ok::<(), keyside::Error>(())
/// ```
pub fn seeds_of(text: &str) -> Result<Vec<u64>> {
    let wrong = || {
        Error::new(ErrorKind::Request, format!("\"{text}\" is no list of seeds"))
            .expected("numbers and ranges, such as 0,7 or 0..3, which is 0, 1, 2")
    };
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let mut seeds = BTreeSet::new();
    for part in text.split(',') {
        let range = match part.split_once("..") {
            None => {
                let seed = number(part)?;
                seed..seed.saturating_add(1)
            }
            Some((first, last)) => match last.strip_prefix('=') {
                Some(last) => number(first)?..number(last)?.saturating_add(1),
                None => number(first)?..number(last)?,
            },
        };
        if range.is_empty() {
            return Err(wrong());
        }
        if range.end - range.start + seeds.len() as u64 > MAX_SEEDS {
            return Err(
                Error::new(ErrorKind::Request, "there are more seeds than a sweep takes")
                    .expected(format!("at most {MAX_SEEDS}")),
            );
        }
        seeds.extend(range);
    }
    Ok(seeds.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_they_are_written() {
        for (text, written) in [("10.7", "10.7"), ("*", "*.*"), (" 0.* ", "0.*"), ("*.3", "*.3")] {
            let pattern: HeadPattern = text.parse().expect(text);
            assert_eq!(pattern.to_string(), written);
            let json = serde_json::to_string(&pattern).expect("is written");
            assert_eq!(serde_json::from_str::<HeadPattern>(&json).expect("is read"), pattern);
        }
        for text in ["", "10", "10.", "**", "1.2.3", "a.b", "-1.0", "1..3"] {
            assert!(text.parse::<HeadPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn seeds_are_sorted_and_bad_lists_refused() {
        assert_eq!(seeds_of("5, 3,4..6,3").expect("a list"), [3, 4, 5]);
        assert_eq!(seeds_of("0").expect("a list"), [0]);
        for text in [
            "",
            ",",
            "a",
            "1,",
            "3..1",
            "-1",
            "1..",
            "..3",
            "0..=",
            "0..200000",
            "0..18446744073709551615",
        ] {
            assert!(seeds_of(text).is_err(), "{text}");
        }
    }
}
