//! Interventions that can be applied to every prompt of a run, as plain data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::analysis::pair::Extent;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Component, Head, HeadActivation, SeriesId, Side};

const FROM: &str = " from ";
const WITHOUT: &str = " without ";
const OF: &str = " of ";
const EVERYWHERE: &str = " everywhere";
const ZERO: &str = "zero";
const MEAN: &str = "mean";

/// An intervention in every prompt of a run, at the prompt's own destination or source.
///
/// The text form is what users type, and what links, citations and result files contain.
///
/// ```
/// use keyside::analysis::{RunIntervention, RunVector};
/// use keyside::names::{Component, Head, SeriesId, Side};
///
/// let without = RunIntervention::Remove { side: Side::Query, component: Component::Head(Head::new(9, 9)) };
/// assert_eq!("query without 9.9".parse(), Ok(without));
/// let made = RunIntervention::Substitute { side: Side::Query, vector: RunVector::Series(SeriesId::WuIo) };
/// assert_eq!(made.to_string(), "query from W_U[IO]");
/// assert!("z of 9.9 zero everywhere".parse::<RunIntervention>().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RunIntervention {
    /// Computes the head's query at the destination, or its key at the source, from a vector: `x / std(x)`, then W and
    /// b. "query from W_U\[IO\]".
    Substitute {
        /// Query or key.
        side: Side,
        /// The vector.
        vector: RunVector,
    },
    /// Removes a component from the residual stream that the query or the key is made from, before LayerNorm. "key
    /// without MLP0".
    Remove {
        /// Query or key.
        side: Side,
        /// The component.
        component: Component,
    },
    /// Sets an activation of any head to another value. "z of 9.9 zero everywhere".
    Set {
        /// The head.
        head: Head,
        /// Which of its activations.
        activation: HeadActivation,
        /// What it is set to.
        to: RunReplacement,
        /// At which positions.
        at: Extent,
    },
}

/// A vector that replaces the residual stream as the input of queries or keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunVector {
    /// A vector of the histograms' series, such as W_U\[IO\].
    Series(SeriesId),
    /// What a component writes at the position, such as the output of an earlier head.
    Component(Component),
    /// The mean of the residual stream before the head's layer, over the run.
    Mean,
    /// 0, so that only the bias remains.
    Zero,
}

/// The value that an activation is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunReplacement {
    /// 0.
    Zero,
    /// The mean over the run.
    Mean,
}

impl RunIntervention {
    /// The checks that need no model: that no component or vector of a layer after the input of `head` is used.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a component that is not before `head`.
    pub fn check_before(&self, head: Head) -> Result<()> {
        let Some(component) = self.component() else {
            return Ok(());
        };
        let is_read = match component {
            Component::QueryBias | Component::KeyBias => false,
            _ => component.layer().is_none_or(|layer| layer < head.layer),
        };
        if is_read {
            return Ok(());
        }
        let cause = format!("{} is nothing that head {head} reads", component.name());
        Err(Error::new(ErrorKind::Request, cause)
            .expected(format!("a component of a layer before {}", head.layer))
            .advice("Choose an earlier component, or a head of a later layer."))
    }

    /// Checks that it can be applied to each of `prompts` prompts in a model of `config`, with `head` as the head of
    /// interest.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] as [`RunIntervention::check_before`], for a head or layer that does not exist, and for
    /// the mean over one prompt.
    pub(crate) fn check(&self, head: Head, config: &Config, prompts: usize) -> Result<()> {
        self.check_before(head)?;
        if let Some(Component::Head(of)) = self.component() {
            config.check_head(of)?;
        }
        if let Self::Set { head, .. } = self {
            config.check_head(*head)?;
        }
        if self.takes_mean() && prompts < 2 {
            let cause = format!("there is no mean over {prompts} of a run\u{2019}s prompts");
            return Err(Error::new(ErrorKind::Request, cause)
                .expected("two prompts at least")
                .advice("Take more prompts, or zero in place of the mean."));
        }
        Ok(())
    }

    /// Whether it needs a mean over the run.
    pub(crate) fn takes_mean(&self) -> bool {
        match self {
            Self::Substitute { vector, .. } => *vector == RunVector::Mean,
            Self::Set { to, .. } => *to == RunReplacement::Mean,
            Self::Remove { .. } => false,
        }
    }

    /// The component that it uses, and the side whose position counts.
    pub(crate) fn component_at(&self) -> Option<(Component, Side)> {
        match *self {
            Self::Remove { side, component }
            | Self::Substitute {
                side,
                vector: RunVector::Component(component),
            } => Some((component, side)),
            _ => None,
        }
    }

    fn component(&self) -> Option<Component> {
        self.component_at().map(|(component, _)| component)
    }

    /// The head whose query, key, value, pattern or z it changes. `head` is the head of interest.
    pub(crate) fn head(&self, head: Head) -> Head {
        match *self {
            Self::Set { head, .. } => head,
            _ => head,
        }
    }
}

impl fmt::Display for RunVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(series) => series.fmt(f),
            Self::Component(component) => component.fmt(f),
            Self::Mean => f.pad(MEAN),
            Self::Zero => f.pad(ZERO),
        }
    }
}

impl fmt::Display for RunIntervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Substitute { side, vector } => write!(f, "{side}{FROM}{vector}"),
            Self::Remove { side, component } => write!(f, "{side}{WITHOUT}{component}"),
            Self::Set {
                head,
                activation,
                to,
                at,
            } => {
                let to = match to {
                    RunReplacement::Zero => ZERO,
                    RunReplacement::Mean => MEAN,
                };
                let place = if *at == Extent::All { EVERYWHERE } else { "" };
                write!(f, "{activation}{OF}{head} {to}{place}")
            }
        }
    }
}

impl FromStr for RunVector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(component) = text.parse() {
            return Ok(Self::Component(component));
        }
        match (text, SeriesId::from(text)) {
            (MEAN, _) => Ok(Self::Mean),
            (ZERO, _) => Ok(Self::Zero),
            (_, SeriesId::EarlierHead(head)) => Ok(Self::Component(Component::Head(head))),
            // In a sentence, these series have several tokens.
            (_, SeriesId::Other(_) | SeriesId::WuOther) => Err(wrong(text)),
            (_, series) if series.is_true_values() => Err(wrong(text)),
            (_, series) => Ok(Self::Series(series)),
        }
    }
}

impl FromStr for RunIntervention {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let typed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let made = |(side, vector): (&str, &str)| {
            let (side, vector) = (side.parse().ok()?, vector.parse().ok()?);
            Some(Self::Substitute { side, vector })
        };
        let without = |(side, component): (&str, &str)| {
            let (side, component) = (side.parse().ok()?, component.parse().ok()?);
            Some(Self::Remove { side, component })
        };
        let set = |(activation, rest): (&str, &str)| {
            let (rest, at) = match rest.strip_suffix(EVERYWHERE) {
                Some(rest) => (rest, Extent::All),
                None => (rest, Extent::Pair),
            };
            let (head, to) = rest.split_once(' ')?;
            let to = match to {
                ZERO => RunReplacement::Zero,
                MEAN => RunReplacement::Mean,
                _ => return None,
            };
            let (head, activation) = (head.parse().ok()?, activation.parse().ok()?);
            Some(Self::Set {
                head,
                activation,
                to,
                at,
            })
        };
        let found = typed.split_once(FROM).and_then(made);
        let found = found.or_else(|| typed.split_once(WITHOUT).and_then(without));
        let found = found.or_else(|| typed.split_once(OF).and_then(set));
        found.ok_or_else(|| wrong(text))
    }
}

fn wrong(text: &str) -> Error {
    let shown: String = text.trim().chars().take(80).collect();
    let [query, key] = Side::ALL;
    let head = Head::new(9, 9);
    let (series, mlp) = (SeriesId::WuIo, Component::Mlp(0));
    let (z, pattern) = (HeadActivation::Z, HeadActivation::Pattern);
    Error::new(ErrorKind::Request, format!("{shown:?} is nothing that can be done to every prompt")).expected(format!(
        "{query}{FROM}{series}, {query}{WITHOUT}{head}, {key}{WITHOUT}{mlp}, {z}{OF}{head} {ZERO}{EVERYWHERE}, {pattern}{OF}{head} \
         {MEAN}, or the like"
    ))
}

impl TryFrom<String> for RunIntervention {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<RunIntervention> for String {
    fn from(intervention: RunIntervention) -> Self {
        intervention.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head::new(10, 7);

    #[test]
    fn interventions_are_read_as_they_are_written() {
        for text in [
            "query from W_U[IO]",
            "query from W_U[random name]",
            "query from No patching",
            "key from W_EE_subE[src]",
            "key from W_E[IO] (true embedding)",
            "query from mean",
            "key from zero",
            "key from W_E",
            "query from 9.9",
            "query without 9.9",
            "key without MLP0",
            "key without W_pos",
            "query without b_O3",
            "z of 9.9 zero everywhere",
            "z of 11.2 zero",
            "pattern of 9.9 mean",
            "q of 10.7 zero",
            "k of 10.7 mean everywhere",
            "v of 0.0 mean",
        ] {
            let read: RunIntervention = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
            let json = serde_json::to_string(&read).expect("is written");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<RunIntervention>(&json).expect("is read"), read);
        }
        let spaced = "  query   without 9.9 ".parse::<RunIntervention>().expect("spaces");
        assert_eq!(spaced.to_string(), "query without 9.9");
        let output = "query from NMH 9.9 output"
            .parse::<RunIntervention>()
            .expect("a series");
        assert_eq!(output.to_string(), "query from 9.9");
    }

    #[test]
    fn what_is_no_intervention_is_an_error() {
        for text in [
            "",
            "query",
            "query from",
            "query from W_U",
            "query from true score",
            "query from W_U[other]",
            "value from zero",
            "query without zero",
            "z of 9.9",
            "z of 9.9 one",
            "x of 9.9 zero",
            "z of 9 zero",
            "query from W_U[IO] everywhere",
        ] {
            let error = text.parse::<RunIntervention>().expect_err(text);
            assert!(error.expected.contains("query without 9.9"), "{error}");
            assert!(error.cause.contains(text), "{error}");
        }
    }

    #[test]
    fn what_a_head_does_not_read_is_refused() {
        let refused = |text: &str| {
            let read: RunIntervention = text.parse().expect(text);
            read.check_before(HEAD).expect_err(text).to_string()
        };
        assert!(refused("query without 10.1").contains("head 10.1 is nothing that head 10.7 reads"));
        assert!(refused("key from MLP11").contains("a layer before 10"));
        assert!(refused("query without b_Q").contains("b_Q"));
        for text in [
            "query without 9.11",
            "key from W_pos",
            "z of 11.0 zero",
            "query from mean",
        ] {
            let read: RunIntervention = text.parse().expect(text);
            assert_eq!(read.check_before(HEAD), Ok(()));
        }
    }
}
