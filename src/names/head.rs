//! The name of an attention head: `L.H`, as in "10.7".

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// An attention head, written `layer.head` ("10.7") everywhere: command line, page, result file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Head {
    /// Layer, from 0.
    pub layer: usize,
    /// Head within the layer, from 0.
    pub head: usize,
}

impl Head {
    /// Head `head` of layer `layer`.
    pub const fn new(layer: usize, head: usize) -> Self {
        Self { layer, head }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.layer, self.head))
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text
            .trim()
            .split_once('.')
            .and_then(|(layer, head)| Some(Self::new(layer.parse().ok()?, head.parse().ok()?)));
        parsed.ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a head"))
                .expected("layer.head, both counted from 0, such as 10.7")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head::new(10, 7);
        assert_eq!(head.to_string(), "10.7");
        assert_eq!("10.7".parse(), Ok(head));
        assert_eq!(" 10.7 ".parse(), Ok(head));
        assert_eq!(serde_json::to_string(&head).expect("is written"), "\"10.7\"");
        assert_eq!(serde_json::from_str::<Head>("\"10.7\"").expect("is read"), head);
    }

    #[test]
    fn what_is_no_head_is_an_error() {
        for text in ["", "10", "10.", ".7", "10.7.1", "a.b", "-1.0", "head 10.7"] {
            let error = text.parse::<Head>().expect_err(text);
            assert!(error.expected.contains("such as 10.7"), "{error}");
        }
    }
}
